import stat

import pytest

from uniqueness.errors import InvalidKey, WrongKey
from uniqueness.key_files import KeyFiles, load_or_create_key


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


def test_a_replaced_key_is_retired_and_stays_private(tmp_path):
    files = KeyFiles(tmp_path / "template.key")
    first = files.key_id
    files.replace_active()
    second = files.key_id
    files.replace_active()
    assert len({first, second, files.key_id}) == 3
    assert set(files.key_ids[1:]) == {first, second}
    kept = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(kept) == 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in kept} == {0o600}
    assert KeyFiles(files.path).key_ids == files.key_ids


def test_a_running_keyring_follows_a_rotation(tmp_path):
    running, rotating = (KeyFiles(tmp_path / "template.key") for _ in range(2))
    before = running.seal(b"before", context=b"")
    rotating.replace_active()
    unseen = rotating.seal(b"by another process", context=b"")
    assert running.open(unseen, context=b"") == b"by another process"
    rotating.replace_active()
    assert running.seal(b"after", context=b"").key_id == rotating.key_id
    assert running.open(before, context=b"") == b"before"


def test_what_a_crashed_rotation_left_is_not_in_the_way(tmp_path):
    files = KeyFiles(tmp_path / "template.key")
    record = files.seal(b"template", context=b"")
    files.retired_directory.mkdir()
    (files.retired_directory / files.key_id).hardlink_to(files.path)  # retired, not yet replaced
    (tmp_path / "template.key.new").write_bytes(b"half")
    assert KeyFiles(files.path).open(record, context=b"") == b"template"
    files.replace_active()
    assert files.open(record, context=b"") == b"template"
    assert not (tmp_path / "template.key.new").exists()


def test_a_destroyed_key_is_missed_by_its_id(tmp_path):
    files = KeyFiles(tmp_path / "template.key")
    record = files.seal(b"template", context=b"")
    files.replace_active()
    (files.retired_directory / record.key_id).unlink()
    with pytest.raises(WrongKey, match=record.key_id):
        KeyFiles(files.path).open(record, context=b"")


def test_a_retired_key_under_a_wrong_name_is_refused(tmp_path):
    files = KeyFiles(tmp_path / "template.key")
    files.replace_active()
    retired = next(files.retired_directory.iterdir())
    retired.rename(retired.with_name("0" * 16))
    with pytest.raises(InvalidKey, match="named by its key's id"):
        KeyFiles(files.path)
