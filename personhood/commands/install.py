"""`personhood models install|list` and `personhood artifacts install`."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from identity_proofs.verification_key import DEFAULT_DEPTH
from personhood.errors import PersonhoodError
from personhood.settings import Settings

models = typer.Typer(help="Face models, pinned by SHA-256.", no_args_is_help=True)
artifacts = typer.Typer(help="The Semaphore circuit, pinned by SHA-256.", no_args_is_help=True)

_PACKAGE = "@zk-kit/semaphore-artifacts"
_VERSION = "4.13.0"

SourceOption = Annotated[
    Path | None, typer.Option("--from", help="a directory or archive that has the files")
]


@models.command("install")
def install_models(
    pack: Annotated[
        str,
        typer.Argument(help="opencv, buffalo_s, edgeface, pad-livenessnet, or a directory"),
    ],
    source: SourceOption = None,
) -> None:
    """Put a model pack into the cache; every file is checked against its digest."""
    from enrollment.packs import install_pack, install_pad_pack, is_pad_pack

    directory = Settings().models_dir()
    install = install_pad_pack if is_pad_pack(pack) else install_pack
    with Console(stderr=True).status(f"installing the model pack {pack}"):
        installed = install(pack, directory, source=source)
    Console().print(f"{pack}: {installed.directory}", highlight=False)


@models.command("reembed")
def reembed_models() -> None:
    """Make templates of the model pack from kept pictures, beside the running service.

    For people who let pictures be kept while enrolled; the others move as they return. What broke
    off goes on when it is run again.
    """
    from personhood.review_desk import reembed_kept

    with Console(stderr=True).status("making templates from kept pictures"):
        told = reembed_kept(Settings(), lambda: None)
    Console().print(
        f"{told.made} made, {told.known} had one, {told.without_pictures} without pictures, "
        f"{told.refused} refused",
        highlight=False,
    )


@models.command("adopt")
def adopt_models(
    directory: Annotated[Path, typer.Argument(exists=True, file_okay=False)],
    review: Annotated[float, typer.Option(help="cosine from which a person is asked again")],
    duplicate: Annotated[float, typer.Option(help="cosine from which a person is refused")],
    measured_on: Annotated[str, typer.Option(help="how and on what the two were measured")],
    license_of_weights: Annotated[str, typer.Option("--license", help="as their publisher says")],
) -> None:
    """Pin a directory of InsightFace models, such as buffalo_l; then name it as the model pack."""
    from enrollment.adopt import adopt_directory
    from uniqueness.decision import Thresholds

    adopted = adopt_directory(
        directory,
        Thresholds(review, duplicate),
        thresholds_source=measured_on,
        license_of_weights=license_of_weights,
    )
    Console().print(f"{adopted.name}: set PERSONHOOD_MODEL_PACK={directory}", highlight=False)


@artifacts.command("install")
def install_artifacts(
    source: SourceOption = None,
    depth: Annotated[int, typer.Option(min=1, max=32, help="tree depth")] = DEFAULT_DEPTH,
) -> None:
    """Put the circuit's files into the cache: from npm, or from where --from says."""
    from identity_proofs.artifacts import install_artifacts as install

    directory = Settings().artifacts_dir()
    installed = Path("node_modules") / _PACKAGE
    with tempfile.TemporaryDirectory() as scratch:
        if source is None and installed.is_dir():
            source = installed
        if source is None:
            with Console(stderr=True).status(f"downloading {_PACKAGE} {_VERSION} (109 MB)"):
                source = _download(Path(scratch))
        done = install(source, directory, depth)
    Console().print(f"depth {done.depth}: {done.zkey_path.parent}", highlight=False)


def _download(directory: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise PersonhoodError(
            f"npm is not installed: install Node, or give the archive of {_PACKAGE} "
            f"{_VERSION} with --from"
        )
    command = [npm, "pack", f"{_PACKAGE}@{_VERSION}", "--silent", "--pack-destination", "."]
    packed = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if packed.returncode != 0:
        raise PersonhoodError(f"npm could not fetch {_PACKAGE}: {packed.stderr.strip()}")
    return directory / packed.stdout.strip()
