"""The demo's service never touches the operator's own database or key."""

from pathlib import Path

import pytest

from personhood.demo.service_process import service_environment


def test_the_operators_own_data_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSONHOOD_DATABASE_URL", "sqlite:///real.db")
    monkeypatch.setenv("PERSONHOOD_TEMPLATE_KEY", "ab" * 32)
    monkeypatch.setenv("PERSONHOOD_MODEL_PACK", "edgeface")
    environment = service_environment(tmp_path)
    assert "PERSONHOOD_DATABASE_URL" not in environment
    assert "PERSONHOOD_TEMPLATE_KEY" not in environment
    assert environment["PERSONHOOD_MODEL_PACK"] == "edgeface"
    assert environment["PERSONHOOD_HOME"] == str(tmp_path)
