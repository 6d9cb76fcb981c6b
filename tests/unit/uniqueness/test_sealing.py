from dataclasses import replace

import pytest

from uniqueness.errors import InvalidKey, RecordCorrupted, WrongKey
from uniqueness.sealing import Keyring, key_id_of

KEY, OLD_KEY = bytes(range(32)), b"o" * 32
CONTEXT = b"template 1"


def test_a_record_opens_in_its_context():
    keyring = Keyring(KEY)
    record = keyring.seal(b"template", context=CONTEXT)
    assert keyring.open(record, context=CONTEXT) == b"template"
    assert b"template" not in record.ciphertext


def test_no_two_records_have_the_same_nonce_or_ciphertext():
    records = [Keyring(KEY).seal(b"same", context=CONTEXT) for _ in range(100)]
    assert len({record.nonce for record in records}) == 100
    assert len({record.ciphertext for record in records}) == 100


def test_the_active_key_seals_and_a_retired_one_still_opens():
    old_record = Keyring(OLD_KEY).seal(b"template", context=CONTEXT)
    keyring = Keyring(KEY, [OLD_KEY])
    assert keyring.seal(b"", context=CONTEXT).key_id == keyring.key_id == key_id_of(KEY)
    assert keyring.open(old_record, context=CONTEXT) == b"template"
    assert keyring.key_ids == (key_id_of(KEY), key_id_of(OLD_KEY))


def test_a_missing_key_is_named_and_told_from_a_damaged_record():
    record = Keyring(KEY).seal(b"template", context=CONTEXT)
    with pytest.raises(WrongKey, match=key_id_of(KEY)):
        Keyring(OLD_KEY).open(record, context=CONTEXT)
    damaged = replace(record, ciphertext=record.ciphertext[:-1] + b"\0")
    with pytest.raises(RecordCorrupted):
        Keyring(KEY).open(damaged, context=CONTEXT)


def test_a_record_relabelled_with_another_key_that_is_here_does_not_open():
    keyring = Keyring(KEY, [OLD_KEY])
    record = keyring.seal(b"template", context=CONTEXT)
    with pytest.raises(RecordCorrupted):
        keyring.open(replace(record, key_id=key_id_of(OLD_KEY)), context=CONTEXT)


def test_a_record_moved_or_relabelled_does_not_open():
    record = Keyring(KEY).seal(b"template", context=CONTEXT)
    with pytest.raises(RecordCorrupted):
        Keyring(KEY).open(record, context=b"template 2")


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused(length):
    with pytest.raises(InvalidKey):
        Keyring(bytes(length))
    with pytest.raises(InvalidKey):
        Keyring(KEY, [bytes(length)])


def test_derived_keys_differ_by_key_salt_and_purpose():
    keyring = Keyring(KEY, [OLD_KEY])
    derived = {
        keyring.derive(key_id, salt=salt, purpose=purpose)
        for key_id in keyring.key_ids
        for salt in (b"a", b"b")
        for purpose in (b"snapshot", b"other")
    }
    assert len(derived) == 8
    assert KEY not in derived


def test_a_key_never_shows():
    keyring = Keyring(KEY)
    assert KEY.hex() not in repr(keyring) + repr(vars(keyring)) + keyring.key_id
    assert repr(KEY) not in repr(vars(keyring))
