"""A witness after c2sp.org/tlog-witness: what it cosigns, and with what it answers otherwise."""

from base64 import b64encode
from pathlib import Path

import pytest

from tests.decision_logs import Log, log_of_key
from transparency.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from transparency.note import COSIGNATURE, NoteSigner
from transparency.witness import Witness

SIGNER = NoteSigner("witness.example/w1", b"w" * 32, COSIGNATURE)


@pytest.fixture
def log() -> Log:
    log = Log()
    log.accept(11, 12, 13)
    return log


@pytest.fixture
def witness(log: Log, tmp_path: Path) -> Witness:
    return Witness(log.key, SIGNER, tmp_path / "witnessed")


def request(log: Log, old: int, *, proof: list[bytes] | None = None) -> str:
    size = log.journal.log.size()
    parts = log.journal.log.consistency(old, size) if proof is None else proof
    lines = "".join(f"{b64encode(part).decode()}\n" for part in parts)
    return f"old {old}\n{lines}\n{log.copy().note}"


def test_a_log_that_grows_is_cosigned(log: Log, witness: Witness, tmp_path: Path) -> None:
    for old, more in ((0, 14), (3, 15), (4, None), (4, 16)):
        asked, note = request(log, min(old, log.journal.log.size())), log.copy().note
        answer = witness.add_checkpoint(asked)
        if old == 4 and more == 16:
            assert answer.status == 409  # the size is 5 by then
            continue
        assert answer.status == 200
        opened = open_checkpoint(note + answer.body, log.key, witnesses=[SIGNER.verifier], quorum=1)
        assert opened.checkpoint.size == log.journal.log.size()
        if more:
            log.accept(more)
    again = Witness(log.key, SIGNER, tmp_path / "witnessed")
    answer = again.add_checkpoint(request(log, 0, proof=[]))
    assert (answer.status, answer.body, answer.media_type) == (409, "5\n", "text/x.tlog.size")
    assert again.add_checkpoint(request(log, 5)).status == 200


def test_a_fork_is_not_cosigned(log: Log, witness: Witness) -> None:
    assert witness.add_checkpoint(request(log, 0)).status == 200
    other = Log()
    other.accept(11, 12, 99)
    same_size = request(other, 3, proof=[])
    assert witness.add_checkpoint(same_size).status == 409
    other.accept(14)
    assert witness.add_checkpoint(request(other, 3)).status == 422
    log.accept(14)
    assert witness.add_checkpoint(request(log, 3, proof=[])).status == 422
    assert witness.add_checkpoint(request(log, 3)).status == 200


def test_what_is_no_request_is_refused(log: Log, witness: Witness) -> None:
    good = request(log, 0)
    for wrong, status in (
        ("", 400),
        ("old x\n\n" + log.copy().note, 400),
        ("old 03\n\n" + log.copy().note, 400),
        (good.replace("old 0\n", "old 4\n"), 400),
        (good.replace("old 0\n", "old 0\n" + "AAAA\n" * 64), 400),
        (good.replace("old 0\n", "old 0\n!\n"), 400),
        (good.replace("old 0\n", "old 0\nAAAA\n"), 422),
        (good.replace("\n3\n", "\n4\n"), 403),
        (request(log_of_key(b"s" * 32), 0), 403),
        ("old 0\n\n" + sign_checkpoint(Checkpoint("elsewhere", 0, bytes(32)), SIGNER), 404),
    ):
        assert witness.add_checkpoint(wrong).status == status, wrong
    assert witness.add_checkpoint(good).status == 200
