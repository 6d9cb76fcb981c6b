"""The Python environment of the engine's workers: SPU needs an older NumPy and Python than we do.

It is made once, from packages that are pinned by version and digest, beside the models:

    <cache>/engine-<digest of the pins>/bin/python
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from uniqueness.errors import EngineNotInstalled

PINS = Path(__file__).with_name("engine.lock")
PYTHONS = ("3.11", "3.10")
_COMPLETE = ".complete"


def environment_python(cache: Path, pins: Path = PINS) -> Path:
    """The interpreter of an environment that `install_environment` has made.

    Raises:
        EngineNotInstalled: it has not.
    """
    home = _home(cache, pins)
    if not (home / _COMPLETE).exists():
        raise EngineNotInstalled(
            "the matching engine is not installed: run `personhood party install`"
        )
    return home / "bin/python"


def install_environment(cache: Path, pins: Path = PINS) -> Path:
    """Make the environment if it is not there yet, and give its interpreter.

    Args:
        cache: directory for what can be fetched again.
        pins: requirements with digests, as pip reads them.

    Raises:
        EngineNotInstalled: there is no Python 3.10 or 3.11, or a package cannot be had.
    """
    home = _home(cache, pins)
    with _alone(cache):
        if not (home / _COMPLETE).exists():
            shutil.rmtree(home, ignore_errors=True)
            _run(_base_python(), "-m", "venv", str(home))
            pip = [str(home / "bin/python"), "-m", "pip", "--disable-pip-version-check", "install"]
            _run(*pip, "--quiet", "--require-hashes", "--only-binary=:all:", "-r", str(pins))
            (home / _COMPLETE).touch()
    return home / "bin/python"


def _home(cache: Path, pins: Path) -> Path:
    try:
        digest = hashlib.sha256(pins.read_bytes()).hexdigest()
    except OSError as error:
        raise EngineNotInstalled(f"{pins} cannot be read: {error.strerror}") from error
    return cache / f"engine-{digest[:12]}"


def _base_python() -> str:
    for name in (sys.executable, *(f"python{version}" for version in PYTHONS)):
        found = shutil.which(name)
        if found and _version(found) in PYTHONS:
            return found
    raise EngineNotInstalled(
        "the matching engine runs on Python 3.10 or 3.11: install one as python3.11 on the PATH"
    )


def _version(interpreter: str) -> str:
    told = subprocess.run(
        [interpreter, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip()


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise EngineNotInstalled(f"the matching engine cannot be installed: {' '.join(last)}")


@contextmanager
def _alone(cache: Path) -> Iterator[None]:
    """One installation at a time; the kernel lets go of it when its process dies."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "engine.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
