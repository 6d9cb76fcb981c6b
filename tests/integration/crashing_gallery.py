"""A process that enrols made-up people, tells each answer, and kills itself at a named point.

python -m tests.integration.crashing_gallery DATABASE_URL DIRECTORY POINT
"""

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine

from tests.integration.power_cut import die_at
from tests.unit.uniqueness.synthetic import DIMENSION, MODEL, THRESHOLDS, at_cosine, people, probe
from uniqueness import sealed_file, snapshot
from uniqueness.batch import Batch
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.gallery import Gallery
from uniqueness.key_files import KeyFiles
from uniqueness.replica import Replica
from uniqueness.snapshot import Snapshot
from uniqueness.store import GalleryStore
from uniqueness.template import Probe
from uniqueness.transaction import GalleryTransaction

# The steps of `uniqueness.sequencer`, then those of a snapshot.
POINTS: dict[str, tuple[Any, str, str, int]] = {
    "before the search": (Batch, "compare", "before", 3),
    "after the search": (Batch, "compare", "after", 3),
    "under the lock, nothing written": (GalleryTransaction, "flush", "before", 3),
    "written, not committed": (GalleryTransaction, "flush", "after", 3),
    "committed, not published": (Replica, "publish", "before", 3),
    "published, not answered": (Replica, "publish", "after", 3),
    "snapshot begun": (snapshot, "write_sealed", "before", 1),
    "snapshot half written": (sealed_file._Cipher, "seal", "after", 2),
    "snapshot written, without its name": (Path, "rename", "before", 1),
    "snapshot named, name not synced": (Path, "rename", "after", 1),
    "snapshot done, more enrolled": (Replica, "publish", "after", 12),
}
PEOPLE = people(24)
CHANGES = 10  # of the gallery to a snapshot


def main(url: str, directory: str, point: str) -> None:
    with open_gallery(url, Path(directory)) as gallery, ThreadPoolExecutor(4) as pool:
        die_at(*POINTS[point])

        def enroll(request: tuple[str, Probe]) -> None:
            request_id, sent = request
            answer = gallery.identify_and_enroll(sent, request_id)
            line = f"{request_id} {answer.decision} {answer.person}\n"
            os.write(sys.stdout.fileno(), line.encode())  # whole, whatever other threads write

        list(pool.map(enroll, requests().items()))


def requests() -> dict[str, Probe]:
    """Everybody twice, by two photographs."""
    once = {f"{number}/once": probe(vector) for number, vector in enumerate(PEOPLE)}
    again = {
        f"{number}/again": probe(at_cosine(vector, 0.95)) for number, vector in enumerate(PEOPLE)
    }
    return {
        name: sent for pair in zip(once.items(), again.items(), strict=True) for name, sent in pair
    }


@contextmanager
def open_gallery(url: str, directory: Path) -> Iterator[Gallery]:
    keyring = KeyFiles(directory / "template.key")
    engine = create_engine(url)
    store = GalleryStore(engine, keyring)
    with Gallery.open(
        store,
        {MODEL: FaissFlatIndex(DIMENSION)},
        THRESHOLDS,
        snapshot=Snapshot(directory / "gallery.snapshot", keyring, store, min_changes=CHANGES),
    ) as gallery:
        yield gallery
    engine.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
