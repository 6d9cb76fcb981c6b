"""The service's certificate: the operator's, or one made here and kept while it is good."""

from datetime import timedelta

import pytest

from personhood import tls
from personhood.errors import TlsIncomplete
from personhood.settings import Settings
from personhood.tls import tls_files


def test_a_certificate_made_here_is_kept_for_the_next_start(tmp_path):
    settings = Settings(home=tmp_path)
    first = tls_files(settings, "192.0.2.7")
    assert first.is_own
    assert {path.stat().st_mode & 0o777 for path in (first.certificate, first.key)} == {0o600}
    assert tls_files(settings, "192.0.2.7").fingerprint == first.fingerprint
    assert tls_files(settings, "0.0.0.0").fingerprint == first.fingerprint


def test_it_is_made_anew_for_another_host_or_when_it_ends_soon(tmp_path, monkeypatch):
    settings = Settings(home=tmp_path)
    first = tls_files(settings, "localhost").fingerprint
    second = tls_files(settings, "kiosk.example").fingerprint
    assert second != first
    monkeypatch.setattr(tls, "_RENEW_BEFORE", timedelta(days=398))
    assert tls_files(settings, "kiosk.example").fingerprint != second


def test_a_damaged_key_is_replaced_with_its_certificate(tmp_path):
    settings = Settings(home=tmp_path)
    first = tls_files(settings, "localhost")
    before = first.fingerprint
    first.key.write_bytes(b"")
    assert tls_files(settings, "localhost").fingerprint != before


def test_the_operators_files_have_to_be_a_pair(tmp_path):
    own = tls_files(Settings(home=tmp_path / "a"), "localhost")
    other = tls_files(Settings(home=tmp_path / "b"), "localhost")
    given = Settings(home=tmp_path, tls_certificate=own.certificate, tls_key=own.key)
    assert not tls_files(given, "localhost").is_own
    with pytest.raises(TlsIncomplete, match="not the key of"):
        tls_files(given.model_copy(update={"tls_key": other.key}), "localhost")
    with pytest.raises(TlsIncomplete, match="both"):
        tls_files(given.model_copy(update={"tls_key": None}), "localhost")
    with pytest.raises(TlsIncomplete, match="PEM"):
        tls_files(given.model_copy(update={"tls_key": tmp_path / "none"}), "localhost")
