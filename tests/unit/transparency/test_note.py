"""Signed notes and checkpoints, against published examples."""

from base64 import b64decode

import pytest

from transparency import note as notes
from transparency.checkpoint import (
    Checkpoint,
    add_cosignature,
    cosign,
    open_checkpoint,
    sign_checkpoint,
)
from transparency.errors import CheckpointInvalid, LogKeyInvalid, NoteInvalid, TransparencyError
from transparency.note import COSIGNATURE, NoteSigner, VerifierKey, make_note, open_note, split_note

# Of the Go module golang.org/x/mod/sumdb/note, and of the specification's own example.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgK"
    "vqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
FOO = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
FOO_NOTE = (
    "This is an example message.\n"
    "\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXs"
    "YjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# Of c2sp.org/tlog-cosignature; its keys are not published.
SOFA_NOTE = (
    "example.com/behind-the-sofa\n"
    "20852163\n"
    "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    "\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4U"
    "RYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZ"
    "CB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)

LOG = NoteSigner("log.example/people", b"l" * 32)
WITNESS = NoteSigner("witness.example/w1", b"w" * 32, COSIGNATURE)
HEAD = Checkpoint("log.example/people", 3, b"r" * 32)
SIGNED = sign_checkpoint(HEAD, LOG)


@pytest.mark.parametrize(("key", "note"), [(NEUMANN, NEUMANN_NOTE), (FOO, FOO_NOTE)])
def test_published_notes_open(key: str, note: str) -> None:
    verifier = VerifierKey.from_text(key)
    text, (signed,) = open_note(note, verifier)
    assert note.startswith(text)
    assert signed == verifier
    assert verifier.text == key
    with pytest.raises(NoteInvalid, match="does not hold"):
        open_note("X" + note[1:], verifier)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6", 1),
        ("remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2", COSIGNATURE),
    ],
)
def test_published_keys_have_their_ids(text: str, kind: int) -> None:
    key = VerifierKey.from_text(text)
    assert (key.kind, key.text) == (kind, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "log",
        FOO.replace("530d903a", "530d903b"),
        FOO.replace("530d903a", "530D903A"),
        FOO[:-1],
        FOO.replace("example", "exam ple"),
        "rekor.example+12345678+AwEB",
        FOO.replace("+Ae", "+Be"),
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(LogKeyInvalid):
        VerifierKey.from_text(text)


def test_the_specifications_checkpoint_is_read() -> None:
    text, (log, witness) = split_note(SOFA_NOTE)
    checkpoint = Checkpoint.from_text(text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.root == b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
    assert checkpoint.text == text
    assert (len(log.signature), len(witness.signature)) == (64, 72)
    assert witness.timestamp == 1679315147


def test_a_witness_signs_the_time_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes.time, "time", lambda: 1679315147.9)
    both = cosign(SIGNED, LOG.verifier, WITNESS)
    opened = open_checkpoint(both, LOG.verifier, witnesses=[WITNESS.verifier], quorum=1)
    assert opened.checkpoint == HEAD
    assert opened.witnesses == {WITNESS.verifier: 1679315147}
    line = both.splitlines()[-1]
    encoded = line.split(" ")[-1]
    raw = bytearray(b64decode(encoded))
    raw[11] ^= 1  # the time
    forged = both.replace(encoded, notes.base64.b64encode(raw).decode())
    with pytest.raises(NoteInvalid, match="witness"):
        open_checkpoint(forged, LOG.verifier, witnesses=[WITNESS.verifier])


def test_cosignatures_are_collected() -> None:
    other = NoteSigner("witness.example/w2", b"x" * 32, COSIGNATURE)
    note = SIGNED
    for witness in (WITNESS, other, other):
        note = add_cosignature(note, cosign(SIGNED, LOG.verifier, witness), witness.verifier)
    witnesses = [WITNESS.verifier, other.verifier]
    assert len(open_checkpoint(note, LOG.verifier, witnesses=witnesses, quorum=2).witnesses) == 2
    assert len(split_note(note)[1]) == 3
    with pytest.raises(NoteInvalid, match="1 of the 2"):
        open_checkpoint(
            cosign(SIGNED, LOG.verifier, other), LOG.verifier, witnesses=witnesses, quorum=2
        )


def test_a_cosignature_of_another_checkpoint_is_not_added() -> None:
    other = sign_checkpoint(Checkpoint(HEAD.origin, 4, HEAD.root), LOG)
    with pytest.raises(NoteInvalid, match="another"):
        add_cosignature(SIGNED, cosign(other, LOG.verifier, WITNESS), WITNESS.verifier)


def test_a_log_key_is_no_witness_and_the_other_way_round() -> None:
    as_log = NoteSigner(WITNESS.verifier.name, b"w" * 32)
    assert as_log.verifier.id != WITNESS.verifier.id
    with pytest.raises(NoteInvalid, match="not signed"):
        open_note(make_note(HEAD.text, as_log), WITNESS.verifier)


def test_a_checkpoint_of_another_log_is_refused() -> None:
    stranger = NoteSigner(LOG.verifier.name, b"s" * 32)
    with pytest.raises(NoteInvalid, match="not signed"):
        open_checkpoint(sign_checkpoint(HEAD, stranger), LOG.verifier)
    other_origin = sign_checkpoint(Checkpoint("log.example/other", 3, b"r" * 32), LOG)
    with pytest.raises(CheckpointInvalid):
        open_checkpoint(other_origin, LOG.verifier)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "log\n3\n",
        "log\n03\n" + HEAD.text.split("\n")[2] + "\n",
        "log\n-3\n" + HEAD.text.split("\n")[2] + "\n",
        "log\n٣\n" + HEAD.text.split("\n")[2] + "\n",
        "log\n3\nAAAA\n",
        "log\n3\n" + HEAD.text.split("\n")[2],
        "log\n3\n" + HEAD.text.split("\n")[2] + "\n\nx\n",
        "\n3\n" + HEAD.text.split("\n")[2] + "\n",
        "log\n9999999999999999999\n" + HEAD.text.split("\n")[2] + "\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(CheckpointInvalid):
        Checkpoint.from_text(text)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        FOO_NOTE[:-1],
        FOO_NOTE.replace("— ", "- "),
        FOO_NOTE.replace("=", ""),
        FOO_NOTE.replace("aQM=", "aQN="),
        FOO_NOTE.replace("example message", "example\tmessage"),
        FOO_NOTE + "\n",
        FOO_NOTE.replace(FOO_NOTE.rsplit(" ", maxsplit=1)[-1], "Uw2Q\n"),
    ],
)
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(TransparencyError):
        open_note(note, VerifierKey.from_text(FOO))


def test_a_log_names_nothing_in_two_lines() -> None:
    with pytest.raises(CheckpointInvalid):
        Checkpoint("log\n999", 3, b"r" * 32).text  # noqa: B018 - making it is the test
    with pytest.raises(LogKeyInvalid):
        NoteSigner("log of people", b"l" * 32)
