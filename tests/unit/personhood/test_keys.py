"""Keys come from the environment or from files made once; a bad one is told, not used."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from personhood.errors import KeyUnusable
from personhood.keys import ServiceKey, service_key, template_keys
from personhood.settings import Settings
from uniqueness.sealing import Keyring


def test_keys_are_made_once_and_kept_private(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    keys, receipts = template_keys(settings), service_key(settings, ServiceKey.RECEIPT)
    assert len(receipts) == 32
    assert (template_keys(settings).key_ids, service_key(settings, ServiceKey.RECEIPT)) == (
        keys.key_ids,
        receipts,
    )
    for file in tmp_path.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600


def test_the_environment_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONHOOD_TEMPLATE_KEY", "ab" * 32)
    settings = Settings(home=tmp_path)
    assert template_keys(settings).key_ids == Keyring(b"\xab" * 32).key_ids
    assert list(tmp_path.iterdir()) == []
    assert "abab" not in repr(settings)


@pytest.mark.parametrize("value", ["", "zz" * 32, "ab" * 31])
def test_a_template_key_that_is_none(value: str, tmp_path: Path) -> None:
    with pytest.raises(KeyUnusable, match="PERSONHOOD_TEMPLATE_KEY"):
        template_keys(Settings(home=tmp_path, template_key=SecretStr(value)))


def test_retired_keys_come_after_the_active_one(tmp_path: Path) -> None:
    retired = SecretStr(f"{'bb' * 32}, {'cc' * 32}")
    keys = template_keys(
        Settings(home=tmp_path, template_key=SecretStr("aa" * 32), template_keys_retired=retired)
    )
    expected = Keyring(b"\xaa" * 32, [b"\xbb" * 32, b"\xcc" * 32])
    assert keys.key_ids == expected.key_ids


@pytest.mark.parametrize("active", [None, "aa" * 32])
def test_retired_keys_that_cannot_be_used(active: str | None, tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path,
        template_key=SecretStr(active) if active else None,
        template_keys_retired=SecretStr(f"{'bb' * 32},{'cc' * 31}"),
    )
    with pytest.raises(KeyUnusable, match="PERSONHOOD_TEMPLATE_KEYS_RETIRED"):
        template_keys(settings)
