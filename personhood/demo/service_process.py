"""The enrolment service as the demo runs it: the real command in a process of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from personhood.errors import DemoFailed
from personhood.kiosk_client import KioskClient
from personhood.registers import open_kiosks
from personhood.settings import Settings

_START_TIMEOUT = 60.0  # seconds
_OPERATORS_OWN = {
    "PERSONHOOD_DATABASE_URL",
    "PERSONHOOD_PARTIES",
    "PERSONHOOD_TEMPLATE_KEY",
    "PERSONHOOD_TEMPLATE_KEYS_RETIRED",
}


@contextmanager
def run_service(home: Path, log: Path, **variables: str) -> Iterator[KioskClient]:
    """Run `personhood serve` on a free port until the block ends; yields a registered kiosk.

    Args:
        home: of the service.
        log: where its output goes.
        variables: more of its environment.

    Raises:
        DemoFailed: the service did not become ready within a minute; the message names its log.
    """
    port = free_port()
    environment = service_environment(home) | variables
    command = [sys.executable, "-m", "personhood", "serve", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        with KioskClient(f"http://127.0.0.1:{port}") as kiosk:
            _wait_until_ready(process, kiosk, log)
            kiosk.register(open_kiosks(Settings(home=home, database_url=None)).invite("demo"))
            yield kiosk
    finally:
        process.terminate()
        process.wait()


def service_environment(home: Path) -> dict[str, str]:
    """This environment, without what would lead the demo to the operator's own data."""
    kept = {name: value for name, value in os.environ.items() if name not in _OPERATORS_OWN}
    return kept | {
        "PERSONHOOD_HOME": str(home),
        "PERSONHOOD_CAPTURE": "photograph",
        "PERSONHOOD_KIOSK_REQUESTS": "100000",  # a crowd walks past one kiosk in a minute
    }


def _wait_until_ready(process: subprocess.Popen[bytes], kiosk: KioskClient, log: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT
    while not kiosk.is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise DemoFailed(f"the enrolment service did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.1)


def free_port() -> int:
    """A TCP port of this machine that nobody listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
