"""Keys come from the environment or from files made once; a bad one is told, not used."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from personhood.errors import KeyUnusable
from personhood.keys import receipt_key, template_key
from personhood.settings import Settings


def test_keys_are_made_once_and_kept_private(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    keys = template_key(settings), receipt_key(settings)
    assert [len(key) for key in keys] == [32, 32]
    assert keys[0] != keys[1]
    assert (template_key(settings), receipt_key(settings)) == keys
    for file in tmp_path.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600


def test_the_environment_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONHOOD_TEMPLATE_KEY", "ab" * 32)
    settings = Settings(home=tmp_path)
    assert template_key(settings) == b"\xab" * 32
    assert list(tmp_path.iterdir()) == []
    assert "abab" not in repr(settings)


@pytest.mark.parametrize("value", ["", "zz" * 32, "ab" * 31])
def test_a_template_key_that_is_none(value: str, tmp_path: Path) -> None:
    with pytest.raises(KeyUnusable, match="PERSONHOOD_TEMPLATE_KEY"):
        template_key(Settings(home=tmp_path, template_key=SecretStr(value)))
