import stat
from dataclasses import replace

import pytest

from uniqueness.errors import InvalidKey, RecordCorrupted, WrongKey
from uniqueness.sealing import Sealer, load_or_create_key

KEY = bytes(range(32))


def test_a_record_opens_with_its_id_and_model():
    sealer = Sealer(KEY)
    record = sealer.seal(b"template", record_id="a", model="m")
    assert sealer.open(record, record_id="a", model="m") == b"template"
    assert b"template" not in record.ciphertext


def test_no_two_records_have_the_same_nonce_or_ciphertext():
    records = [Sealer(KEY).seal(b"same", record_id="a", model="m") for _ in range(100)]
    assert len({record.nonce for record in records}) == 100
    assert len({record.ciphertext for record in records}) == 100


def test_another_key_is_told_from_a_damaged_record():
    record = Sealer(KEY).seal(b"template", record_id="a", model="m")
    with pytest.raises(WrongKey, match="another template key"):
        Sealer(bytes(32)).open(record, record_id="a", model="m")
    damaged = replace(record, ciphertext=record.ciphertext[:-1] + b"\0")
    with pytest.raises(RecordCorrupted):
        Sealer(KEY).open(damaged, record_id="a", model="m")


@pytest.mark.parametrize(("record_id", "model"), [("b", "m"), ("a", "n")])
def test_a_record_moved_or_relabelled_does_not_open(record_id, model):
    record = Sealer(KEY).seal(b"template", record_id="a", model="m")
    with pytest.raises(RecordCorrupted):
        Sealer(KEY).open(record, record_id=record_id, model=model)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused(length):
    with pytest.raises(InvalidKey):
        Sealer(bytes(length))


def test_the_key_file_is_made_once_for_the_owner_alone(tmp_path):
    path = tmp_path / "keys" / "template.key"
    key = load_or_create_key(path)
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_create_key(path) == key
    assert list(path.parent.iterdir()) == [path]


def test_a_key_file_that_others_read_or_of_another_length_is_refused(tmp_path):
    path = tmp_path / "template.key"
    load_or_create_key(path)
    path.chmod(0o644)
    with pytest.raises(InvalidKey, match="chmod 600"):
        load_or_create_key(path)
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(InvalidKey, match="5 bytes"):
        load_or_create_key(path)


def test_a_key_never_shows(tmp_path):
    key = load_or_create_key(tmp_path / "k")
    sealer = Sealer(key)
    assert key.hex() not in repr(sealer) + sealer.key_id
