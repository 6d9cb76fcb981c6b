"""What it takes to audit a log and a chain of so many members, once both are downloaded.

    python benchmarks/public_audit.py --members 100000

CPU seconds of this process: the log alone, and all of it; the rest is mostly the group's Poseidon
hashes, which are timed alone too.
"""

import argparse
import tempfile
import time
from collections.abc import Callable

from sqlalchemy import create_engine

from distribution.public_audit import audit
from distribution.record import ChainRecord, Update
from identity_proofs.group import Group
from transparency.entry import Entry, Kind, Opening
from transparency.journal import Journal
from transparency.mirror import LogCopy, Mirror
from transparency.store import DecisionLog
from uniqueness.database import prepare

BATCH = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=10_000)
    count = parser.parse_args().members
    with tempfile.TemporaryDirectory() as folder:
        journal, copy = written(folder, count)
    print(f"{count:,} members")
    print(f"the log alone    {seconds(lambda: Mirror(journal.verifier).extend(copy)):8.1f} s")
    members = list(range(1, count + 1))
    print(f"the group alone  {seconds(lambda: posted(members)):8.1f} s")
    record = posted(members)
    print(f"all of it        {seconds(lambda: audited(copy, journal, record)):8.1f} s")


def written(folder: str, count: int) -> tuple[Journal, LogCopy]:
    """A log that accepted so many."""
    engine = prepare(create_engine(f"sqlite:///{folder}/log.db"))
    log = DecisionLog(engine)
    openings = [Opening.draw(commitment) for commitment in range(1, count + 1)]
    entries = [Entry(Kind.UNIQUE, None, 0, "0" * 16, "m 1", "c 1", o.digest) for o in openings]
    with log.writing() as connection:
        log.append(connection, entries, openings)
    journal = Journal(log, b"l" * 32)
    copy = LogCopy(journal.signed_checkpoint(), log.leaves(0, count), log.openings(0, count))
    engine.dispose()
    return journal, copy


def posted(members: list[int]) -> ChainRecord:
    group, updates = Group(), []
    for first in range(0, len(members), BATCH):
        previous, batch = group.root, tuple(members[first : first + BATCH])
        group.insert_many(batch)
        updates.append(Update(previous, group.root, first, batch, (), bytes(32)))
    return ChainRecord(1, 0, group.root, group.size, tuple(updates), (), (), 0, 0, 0, True)


def audited(copy: LogCopy, journal: Journal, record: ChainRecord) -> None:
    verdict = audit(copy, journal.verifier, record)
    if verdict.finding is not None:
        raise SystemExit(f"{verdict.finding}: {verdict.explanation}")


def seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    main()
