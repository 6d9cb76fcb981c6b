"""OpenMP keeps a team of threads for each thread that searches with several."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TASKS = Path("/proc/self/task")

CALLERS = """
import sys, threading
from pathlib import Path
import faiss
import numpy as np
from tests.unit.uniqueness.synthetic import people
from uniqueness.compact_index import CompactIndex
from uniqueness.faiss_index import FaissFlatIndex

vectors = people(2000)
ids = np.arange(len(vectors))
kind = sys.argv[1]
flat = FaissFlatIndex(vectors.shape[1])
index = flat if kind == "flat" else CompactIndex(vectors.shape[1], lambda ids: vectors[ids])
index.add(ids[:-8], vectors[:-8])
index.search(vectors[:8], 4, floor=0.5)
tasks = lambda: len(list(Path("/proc/self/task").iterdir()))
before, done, end = tasks(), threading.Semaphore(0), threading.Event()

def call(number):
    assert index.search(vectors[:1], 4, floor=0.5).ids[0, 0] == 0
    index.add(ids[number : number + 1], vectors[number : number + 1])
    done.release()
    end.wait()

for number in range(len(ids) - 6, len(ids)):
    threading.Thread(target=call, args=(number,)).start()
    done.acquire()
print(tasks() - before)
end.set()
"""


@pytest.mark.skipif(not TASKS.exists(), reason="threads of libraries are counted in /proc")
@pytest.mark.parametrize("kind", ["flat", "compact"])
def test_six_callers_of_one_probe_each_leave_six_threads(kind):
    environment = os.environ | {"OMP_NUM_THREADS": "4"}
    called = subprocess.run(
        [sys.executable, "-c", CALLERS, kind],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        timeout=60,
    )
    assert called.stdout.split() == ["6"]
