"""CPU time of a whole visit to the kiosk, at the service: `python -m benchmarks.kiosk_request DIR`.

    python -m benchmarks.kiosk_request DIR [--gallery 100000] [--people 300]

The real service (`personhood serve`, default pack, a living person asked for) in a process of its
own on SQLite, over a gallery of random unit vectors. DIR has one folder of photographs a person, as
Labeled Faces in the Wild: of whom there are many, those that show the poses that the service asks
for are sent, as JPEG at 1280x960. A visit is the beginning of a turn and the enrolment: HTTP,
signatures, three frames, poses, mirrors, replay, template, search, commit, receipt. Its CPU time is
that of all threads of the service, as the kernel counts it, hence the time on one core. One client.
"""

import argparse
import io
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from benchmarks.gallery_start import fill
from enrollment.capture import decode
from enrollment.engine import open_engine
from enrollment.faces import FaceDetector
from enrollment.packs import load_pack
from enrollment.pose import Pose, shows
from identity_proofs.identity import Identity
from personhood.database import open_database
from personhood.demo.service_process import run_service
from personhood.keys import template_keys
from personhood.kiosk_client import KioskClient
from personhood.settings import Settings

CAMERA = (1280, 960)  # pixels
TICKS = os.sysconf("SC_CLK_TCK")  # a second
MANY = 4  # photographs of a person: fewer seldom show the poses
TURNS = 8  # that a person begins at most, until one asks for poses of which there are photographs
WARMING = 20  # people, before it is measured
BAR = 400.0  # ms, 95th percentile

Album = dict[Pose, list[bytes]]  # of one person: the photographs that show a pose


def as_camera(path: Path) -> bytes:
    """Fit a photograph into the camera's picture."""
    buffer = io.BytesIO()
    picture = ImageOps.pad(Image.open(path).convert("RGB"), CAMERA, Image.Resampling.LANCZOS)
    picture.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def albums(folder: Path, detector: FaceDetector, count: int) -> Iterator[Album]:
    """The photographs by pose of some people of whom there are many."""
    people = [(path, sorted(path.iterdir())) for path in sorted(folder.iterdir()) if path.is_dir()]
    for _, photographs in [person for person in people if len(person[1]) >= MANY][:count]:
        album: Album = {pose: [] for pose in Pose}
        for photograph in map(as_camera, photographs):
            for face in detector.detect([decode(photograph)])[0][:1]:
                for pose in Pose:
                    if shows(face, pose):
                        album[pose].append(photograph)
        yield album


def frames_for(poses: Sequence[str], album: Album) -> list[bytes] | None:
    """A photograph for each pose, none of them twice; None where there are not enough."""
    left = {pose: list(photographs) for pose, photographs in album.items()}
    try:
        return [left[Pose(pose)].pop() for pose in poses]
    except IndexError:
        return None


def only_child() -> int:
    """The process that this one has started."""
    me = os.getpid()
    (child,) = Path(f"/proc/{me}/task/{me}/children").read_text().split()
    return int(child)


def cpu_ms(pid: int) -> float:
    """Milliseconds that a process has computed, threads that ended included; in steps of ten."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return 1000 * (int(fields[11]) + int(fields[12])) / TICKS  # utime, stime of proc(5)


def visits(kiosk: KioskClient, pid: int, people: list[Album]) -> tuple[list[float], Counter[str]]:
    """CPU time of each visit that ended with a decision, and how all of them ended."""
    spent, outcomes = [], Counter[str]()
    for album in people:
        for _ in range(TURNS):
            before = cpu_ms(pid)
            turn = kiosk.begin()
            if frames := frames_for(turn.poses, album):
                answer = kiosk.send(kiosk.prepare(turn, Identity.generate(), *frames))
                outcomes[answer.code or answer.outcome] += 1
                if answer.code is None:
                    spent.append(cpu_ms(pid) - before)
                break
        else:
            outcomes["no such photographs"] += 1
    return spent, outcomes


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("directory", type=Path)
    parser.add_argument("--gallery", type=int, default=100_000)
    parser.add_argument("--people", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home), database_url=None)
        pack = load_pack(settings.model_pack, settings.models_dir())
        people = list(albums(options.directory, open_engine(pack)[0], options.people))
        model, dimension = pack.manifest.model, pack.manifest.embedding_size
        engine = open_database(settings, upgrade=True)
        fill(engine, template_keys(settings), model, options.gallery, dimension)
        engine.dispose()
        live = {"PERSONHOOD_CAPTURE": "live"}
        with run_service(Path(home), Path(home) / "service.log", **live) as kiosk:
            pid = only_child()
            visits(kiosk, pid, people[:WARMING])
            spent, outcomes = visits(kiosk, pid, people[WARMING:])
    low, middle, high = np.quantile(spent, (0.05, 0.5, 0.95))
    print(f"gallery {options.gallery}; {len(spent)} visits with a decision of {dict(outcomes)}")
    print(f"CPU of the service a visit: median {middle:.0f} ms, p5 {low:.0f}, p95 {high:.0f}")
    print(f"{'within' if high <= BAR else 'NOT within'} the bar of {BAR:.0f} ms")


if __name__ == "__main__":
    main()
