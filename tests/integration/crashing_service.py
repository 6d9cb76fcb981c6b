"""A process that enrols one photograph and kills itself at a named point, as a power cut would.

python -m tests.integration.crashing_service DIRECTORY KEY COMMITMENT PHOTOGRAPH POINT
"""

import hashlib
import os
import signal
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine

from enrollment.examination import Examiner
from enrollment.face_models import open_models
from enrollment.pipeline import EnrollmentService
from enrollment.pose import Pose
from enrollment.rows import EnrollmentRequest
from enrollment.store import EnrollmentStore
from tests.models import opencv_pack
from transparency.journal import Journal
from transparency.store import DecisionLog
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.gallery import Gallery
from uniqueness.sealing import Keyring
from uniqueness.store import GalleryStore

POINTS = {
    "before reserve": ("enrollments", "reserve", "before"),
    "after reserve": ("enrollments", "reserve", "after"),
    "before the gallery commits": ("templates", "commit", "before"),
    "after the gallery committed": ("templates", "commit", "after"),
    "before settle": ("enrollments", "settle", "before"),
    "after settle": ("enrollments", "settle", "after"),
}


def main(directory: str, key: str, commitment: str, photograph: str, point: str) -> None:
    pack = opencv_pack()
    database = create_engine(f"sqlite:///{directory}/personhood.db")
    stores = {
        "enrollments": EnrollmentStore(
            database, Keyring(b"k" * 32), Journal(DecisionLog(database), b"l" * 32)
        ),
        "templates": GalleryStore(database, Keyring(b"k" * 32)),
    }
    indexes = {pack.manifest.model: FaissFlatIndex(pack.manifest.embedding_size)}
    gallery = Gallery.open(stores["templates"], indexes, pack.manifest.thresholds)
    examiner = Examiner(open_models([pack]))
    service = EnrollmentService(examiner, gallery, stores["enrollments"])
    store, method, when = POINTS[point]
    die_at(stores[store], method, when)
    request = EnrollmentRequest(key, hashlib.sha256(key.encode()).hexdigest(), int(commitment))
    service.enroll(request, [Path(photograph).read_bytes()], [Pose.FRONT])


def die_at(store: Any, method: str, when: str) -> None:
    real = getattr(store, method)

    def deadly(*arguments: Any, **options: Any) -> None:
        if when == "after":
            real(*arguments, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(store, method, deadly)


if __name__ == "__main__":
    main(*sys.argv[1:])
