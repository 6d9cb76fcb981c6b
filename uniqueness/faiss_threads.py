"""How many threads FAISS takes: one for one vector, all for more.

FAISS divides the vectors that it is given among threads, never one vector, yet starts all of them.
They wait by spinning, and OpenMP keeps a set of them for each thread that ever searched.
"""

import faiss

_THREADS = faiss.omp_get_max_threads()


def take_threads(vectors: int) -> None:
    """Set how many threads FAISS takes in the calling thread, before it is given some vectors."""
    faiss.omp_set_num_threads(1 if vectors == 1 else _THREADS)
