"""Three parties and their coordinator in processes that kill themselves, each at a named point.

python -m tests.integration.crashing_parties DIRECTORY

Each point has a process and a directory of its own. There `decided` has each decision before any
party is told, as a coordinator writes it down.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from tests.integration.power_cut import die_at
from tests.unit.uniqueness.plain_engine import PlainEngine
from tests.unit.uniqueness.three_parties import Three, template
from uniqueness.private.party_entries import Entries
from uniqueness.private.party_store import PartyStore
from uniqueness.private.protocol import Added, Change, Commit, Erased
from uniqueness.private.resharing import reshare

# In the second batch of three parties; in resharing, in the second piece of one.
POINTS: dict[str, tuple[Any, str, str, int]] = {
    "a party has not kept its shares": (PartyStore, "prepare", "before", 5),
    "a party has sealed some shares": (Entries, "seal", "after", 14),
    "a party has kept its shares and not answered": (PartyStore, "prepare", "after", 5),
    "the engines compute": (PlainEngine, "_products", "before", 5),
    "the first party has not committed": (PartyStore, "commit", "before", 4),
    "a party has written one of two templates": (Entries, "append", "after", 9),
    "a party has committed and not answered": (PartyStore, "commit", "after", 5),
    "a party has not erased": (PartyStore, "commit", "before", 8),
    "a party has written a removal, not committed": (Entries, "append", "after", 14),
    "a party has erased and not answered": (PartyStore, "commit", "after", 8),
    "a lost party has not taken a piece over": (PartyStore, "extend", "before", 2),
    "a lost party has taken half a piece over": (Entries, "append", "after", 18),
    "a lost party has taken a piece over": (PartyStore, "extend", "after", 2),
}
PEOPLE = {"b1": (1, 2), "b2": (3, 4), "b4": (5, 6)}


def main(directory: str) -> None:
    for number, point in enumerate(POINTS):
        home = Path(directory) / str(number)
        home.mkdir()
        child = os.fork()  # of a process with one thread, whose imports took a while
        if not child:
            run_until_killed(home, point)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status != signal.SIGKILL:
            raise SystemExit(f"{point}: was not reached")


def run_until_killed(directory: Path, point: str) -> None:
    three = Three.in_directory(directory)
    die_at(*POINTS[point])
    enrol(three, "b1", 0)
    enrol(three, "b2", 2)
    decide(three, "b3", 4, Erased((1,)))
    lose_and_reshare(three, directory)
    enrol(three, "b4", 5)


def enrol(three: Three, batch: str, head: int) -> None:
    sealed = three.sealed(batch, [template(number) for number in PEOPLE[batch]])
    for party in three.parties:  # one after the other: each point is reached once
        party.prepare(batch, sealed[party.index])
    three.open_session(f"session-{batch}")
    three.load(batch)
    three.reached()
    for party in three.parties:
        party.close_session(f"session-{batch}")  # its engine would wait for the others to commit
    decide(three, batch, head, Added(0), Added(1))


def decide(three: Three, batch: str, head: int, *changes: Change) -> None:
    told = [c.row if isinstance(c, Added) else list(c.sequences) for c in changes]
    with (three.directory / "decided").open("a") as file:
        file.write(json.dumps([batch, head, told]) + "\n")
    for party in three.parties:
        party.commit(Commit(batch, head, changes))


def lose_and_reshare(three: Three, directory: Path) -> None:
    for file in (directory / "party1").glob("shares.db*"):
        file.unlink()
    three.parties = Three.in_directory(directory).parties
    lost, *others = three.parties[1], three.parties[0], three.parties[2]
    for until in (3, 5):
        after = lost.status().head
        lost.take_over([one.hand_over(1, after, until) for one in others])
    reshare(lost, others)


if __name__ == "__main__":
    main(*sys.argv[1:])
