"""Decisions on real faces, by three parties that see none and by the plain gallery that does.

    python -m benchmarks.private_decisions DIR [--pack opencv] [--people 300]

DIR has one folder a person, as Labeled Faces in the Wild. Everybody is enrolled by the first
photograph and comes back with all others, in batches; both galleries are asked the same, about
the same quantised templates, and every decision has to be the same. Three parties with real engines
run in this process and its children. Exits with 1 if any decision differs.
"""

import argparse
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
from sqlalchemy import create_engine

from enrollment.face_models import open_models
from enrollment.labelled import embed_labelled
from enrollment.packs import load_pack
from personhood.settings import Settings
from uniqueness.candidates import Identification
from uniqueness.decision import Thresholds
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.matching import Matching
from uniqueness.private.environment import install_environment
from uniqueness.private.ledger import Ledger
from uniqueness.private.parties import Parties
from uniqueness.private.party import Party
from uniqueness.private.party_engine import engine_starter
from uniqueness.private.party_store import PartyStore
from uniqueness.private.quantised import quantise, unit
from uniqueness.private.sealed_shares import seal_share
from uniqueness.private.sequencer import PrivateSequencer
from uniqueness.private.shares import PARTIES, Share
from uniqueness.private.trust import Circle, PartyKeys, make_coordinator
from uniqueness.requests import Enroll
from uniqueness.sealing import Keyring
from uniqueness.sequencer import Sequencer
from uniqueness.store import GalleryStore
from uniqueness.template import FloatArray, Probe, Template

KEY = bytes(range(32))
BATCH = 16


def templates_of(folder: Path, pack: str, people: int) -> tuple[list[str], FloatArray, Thresholds]:
    """Labels and templates of the first people, as the service makes them, then quantised."""
    settings = Settings()
    loaded = load_pack(pack, settings.models_dir())
    with tempfile.TemporaryDirectory() as some:
        for person in sorted(path for path in folder.iterdir() if path.is_dir())[:people]:
            (Path(some) / person.name).symlink_to(person.resolve(), target_is_directory=True)
        found = embed_labelled(Path(some), open_models([loaded]))
    vectors = np.stack([unit(quantise(vector)) for vector in found.vectors[0]])
    return [file.split("/")[0] for file in found.files], vectors, loaded.manifest.thresholds


@contextmanager
def three_parties(home: Path, dimension: int) -> Iterator[Parties]:
    """Parties of this process, each with a store of its own and engines in processes."""
    ports = _free_ports(PARTIES)
    keys = [
        PartyKeys.make(home / f"{i}", i, f"https://127.0.0.1:{1 + i}", f"127.0.0.1:{ports[i]}")
        for i in range(PARTIES)
    ]
    circle = Circle.of([*(one.card for one in keys), make_coordinator(home / "c")], dimension)
    python = install_environment(Settings().cache.expanduser())

    def open_party(index: int) -> Party:
        store = PartyStore(
            create_engine(f"sqlite:///{home}/{index}.db"), Keyring(KEY), index, dimension
        )
        return Party(
            keys[index],
            circle,
            store,
            engine_starter(keys[index], circle, python, home / f"{index}"),
        )

    def seal(share: Share, party: int, batch: str, row: int) -> bytes:
        key = circle.parties[party].public_seal_key()
        return seal_share(share, key, party=party, batch=batch, row=row)

    with ExitStack() as stack:
        parties = [open_party(index) for index in range(PARTIES)]
        for party in parties:
            stack.callback(party.close)
        yield Parties(parties, seal)


def requests_of(labels: Sequence[str], vectors: FloatArray, model: str) -> list[Enroll]:
    """Everybody's first photograph, then all others."""
    firsts = {label: number for number, label in reversed(list(enumerate(labels)))}
    first = sorted(firsts.values())
    others = [number for number in range(len(labels)) if number not in set(first)]
    return [
        Enroll(Probe((Template(vectors[number], model),)), f"{number}")
        for number in (*first, *others)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pack", default="opencv")
    parser.add_argument("--people", type=int, default=300)
    options = parser.parse_args()
    labels, vectors, thresholds = templates_of(options.folder, options.pack, options.people)
    dimension = vectors.shape[1]
    requests = requests_of(labels, vectors, options.pack)
    with tempfile.TemporaryDirectory() as folder, three_parties(Path(folder), dimension) as parties:
        plain = Sequencer(
            GalleryStore(create_engine(f"sqlite:///{folder}/plain.db"), Keyring(KEY)),
            [Matching({options.pack: FaissFlatIndex(dimension)}, thresholds)],
        )
        ledger = Ledger(create_engine(f"sqlite:///{folder}/c.db"), Keyring(KEY), options.pack)
        shared = PrivateSequencer(ledger, parties, options.pack, thresholds)
        seen: Counter[str] = Counter()
        different, began = 0, time.monotonic()
        for start in range(0, len(requests), BATCH):
            asked = requests[start : start + BATCH]
            for one, other in zip(plain.process(asked), shared.process(asked), strict=True):
                if not isinstance(one, Identification) or not isinstance(other, Identification):
                    raise TypeError("an enrolment is answered by a decision")
                seen[one.decision.value] += 1
                different += one.decision is not other.decision
        print(
            f"{len(labels)} photographs of {len(set(labels))} people, {dimension} values: "
            f"{dict(seen)} by the plain gallery, {different} decided otherwise by the parties; "
            f"{(time.monotonic() - began) / len(requests):.2f} s a request"
        )
        shared.close()
        plain.close()
    return 1 if different else 0


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


if __name__ == "__main__":
    raise SystemExit(main())
