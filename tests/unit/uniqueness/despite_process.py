"""A process that carries out decided reviews, beside another one that does the same.

python -m tests.unit.uniqueness.despite_process DATABASE_URL NUMBER
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


def main(url: str, number: str) -> None:
    vectors = people(6)
    order = list(range(len(vectors)))
    random.Random(number).shuffle(order)
    store = GalleryStore(create_engine(url), Keyring(b"k" * 32))
    with Gallery.open(store, {MODEL: FaissFlatIndex(DIMENSION)}, THRESHOLDS) as gallery:

        def carry_out(who: int) -> str:
            like = probe(at_cosine(vectors[who], 0.65, seed=10 + who))
            found = gallery.identify_and_enroll(like, f"decided/{who}", despite=[who + 1])
            return f"{who} {found.decision} {found.person}"

        with ThreadPoolExecutor(3) as pool:
            print(*pool.map(carry_out, order), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
