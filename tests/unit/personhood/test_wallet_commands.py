"""`personhood wallet new` and `restore`, run in this process."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from identity_proofs import keystore
from identity_proofs.errors import KeystoreExists, UnknownWord, WrongPhraseChecksum, WrongWordCount
from identity_proofs.keystore import load_identity
from identity_proofs.mnemonic import from_phrase
from identity_proofs.statement import EnrollmentStatement, Purpose
from personhood.cli import app

PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERSONHOOD_HOME", str(tmp_path))
    monkeypatch.setenv("PERSONHOOD_WALLET_PASSWORD", PASSWORD)
    return tmp_path


def wallet(*arguments: str, words: str | None = None) -> Any:
    """Run `personhood wallet ... --json` and return what it says, or raise what it raised."""
    result = CliRunner().invoke(app, ["wallet", *arguments, "--json"], input=words)
    if result.exception is not None:
        raise result.exception
    return json.loads(result.stdout)


def test_words_restore_the_same_identity(home: Path) -> None:
    made = wallet("new", "--show-words")
    restored = wallet("restore", "--wallet", str(home / "again.json"), words=made["words"])
    assert restored["commitment"] == made["commitment"]
    assert "words" not in restored
    first, again = (load_identity(home / name, PASSWORD) for name in ("wallet.json", "again.json"))
    assert first.private_key == again.private_key == from_phrase(made["words"]).private_key


def test_words_are_not_shown_unasked_where_there_is_no_terminal() -> None:
    assert set(wallet("new")) == {"wallet", "commitment"}


def test_nothing_is_overwritten(home: Path) -> None:
    made = wallet("new", "--show-words")
    before = (home / "wallet.json").read_bytes()
    for command in (["new"], ["restore"]):
        with pytest.raises(KeystoreExists):
            wallet(*command, words=made["words"])
    assert (home / "wallet.json").read_bytes() == before


def test_wrong_words_make_no_wallet(home: Path) -> None:
    for words, error in [
        ("abandon " * 23, WrongWordCount),
        ("abandon " * 23 + "atr", UnknownWord),
        ("abandon " * 24, WrongPhraseChecksum),
    ]:
        with pytest.raises(error):
            wallet("restore", words=words)
    assert not (home / "wallet.json").exists()


def test_a_lost_wallet_is_replaced_by_a_new_one(home: Path) -> None:
    challenge, picture = "K7QX-M2PD-9RTW-4HSC", home / "code.png"
    made = wallet("recover", challenge, "--qr", str(picture), "--show-words")
    assert from_phrase(made["words"]).commitment == int(made["commitment"])
    statement = EnrollmentStatement.from_text(made["statement"], Purpose.RECOVER)
    assert statement.commitment_for(challenge) == int(made["commitment"])
    assert picture.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(KeystoreExists):
        wallet("recover", challenge)


def test_words_are_shown_on_a_terminal(home: Path) -> None:
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "personhood", "wallet", "new"]
    environment = os.environ | {"COLUMNS": "60", "TERM": "dumb"}
    subprocess.run(command, check=True, env=environment, stdout=follower)
    shown = os.read(leader, 1 << 16).decode()
    os.close(leader)
    os.close(follower)
    (line,) = (line for line in shown.splitlines() if line.startswith("words"))
    identity = load_identity(home / "wallet.json", PASSWORD)
    assert from_phrase(line.removeprefix("words")).private_key == identity.private_key
    assert keystore.read_commitment(home / "wallet.json") == identity.commitment
