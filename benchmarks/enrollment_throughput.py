"""Enrolments a second of the whole service: people one after the other, and many at once.

    python -m benchmarks.enrollment_throughput DIR [--people 120] [--clients 16] [--rounds 3]

The real service (`personhood serve`, one photograph a person) in a process of its own on an empty
SQLite database; a kiosk begins a turn, signs, sends and reads the answer. DIR has one folder a
person. All runs have the same people and a fresh service each; a round is one after the other and
then many at once, and the gain is the median of the rounds. It comes from stages of different
requests that overlap, from the gallery's batches and their one commit.
"""

import argparse
import os
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from identity_proofs.identity import Identity
from personhood.demo.service_process import run_service


def photographs(folder: Path, count: int) -> list[bytes]:
    """The first photograph of each of some people."""
    people = sorted(path for path in folder.iterdir() if path.is_dir())[:count]
    return [sorted(person.iterdir())[0].read_bytes() for person in people]


def measure(photos: list[bytes], clients: int) -> tuple[float, float, Counter[str]]:
    """Enrolments a second by the clock, CPU seconds of the service for each, and outcomes."""
    with (
        tempfile.TemporaryDirectory() as home,
        run_service(Path(home), Path(home) / "service.log") as kiosk,
        ThreadPoolExecutor(clients) as pool,
    ):
        identities = [Identity.generate() for _ in photos]
        _ = [identity.commitment for identity in identities]  # wallets are made at home
        kiosk.enroll(photos[-1], Identity.generate())  # warms what is opened on first use
        before, start = os.times(), time.perf_counter()
        answers = list(pool.map(kiosk.enroll, photos[:-1], identities[:-1]))
        elapsed = time.perf_counter() - start
    after = os.times()  # the service has ended, so its CPU time is counted to its parent
    spent = after.children_user + after.children_system
    spent -= before.children_user + before.children_system
    outcomes = Counter(answer.code or answer.outcome for answer in answers)
    return len(answers) / elapsed, spent / len(answers), outcomes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--people", type=int, default=120)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pack", default="opencv")
    options = parser.parse_args()
    os.environ["PERSONHOOD_MODEL_PACK"] = options.pack
    photos = photographs(options.folder, options.people + 1)
    gains = []
    for _ in range(options.rounds):
        rates = []
        for clients in (1, options.clients):
            rate, cpu, outcomes = measure(photos, clients)
            rates.append(rate)
            print(
                f"{clients:2} at a time: {rate:6.2f} enrolments/s, {cpu * 1000:5.0f} ms CPU each "
                f"with the start; {dict(outcomes)}"
            )
        gains.append(rates[1] / rates[0])
        print(f"gain: {gains[-1]:.2f}")
    print(f"gain, median of {options.rounds}: {median(gains):.2f}")


if __name__ == "__main__":
    main()
