"""A process that enrols people from eight threads, beside others that enrol the same people.

python -m tests.unit.uniqueness.sequencer_process DATABASE_URL NUMBER PEOPLE

Each person is sent twice: under a request id of this process, and under one that all share.
"""

import random
import sys
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import create_engine

from tests.unit.uniqueness.synthetic import DIMENSION, MODEL, THRESHOLDS, at_cosine, people, probe
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.gallery import Gallery
from uniqueness.sealing import Keyring
from uniqueness.store import GalleryStore


def main(url: str, number: str, count: str) -> None:
    vectors = people(int(count))
    jobs = [(who, kind) for who in range(len(vectors)) for kind in ("own", "shared")]
    random.Random(number).shuffle(jobs)
    store = GalleryStore(create_engine(url), Keyring(b"k" * 32))
    with Gallery.open(store, {MODEL: FaissFlatIndex(DIMENSION)}, THRESHOLDS) as gallery:

        def enroll(job: tuple[int, str]) -> str:
            who, kind = job
            repeat = probe(at_cosine(vectors[who], 0.95, seed=int(number)))
            request_id = f"shared/{who}" if kind == "shared" else f"{number}/{who}"
            found = gallery.identify_and_enroll(repeat, request_id)
            return f"{who} {request_id} {found.decision} {found.person}"

        with ThreadPoolExecutor(8) as pool:
            print(*pool.map(enroll, jobs), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
