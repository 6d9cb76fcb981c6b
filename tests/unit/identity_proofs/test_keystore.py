import json
import stat
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest
from eth_keyfile.keyfile import create_keyfile_json, decode_keyfile_json

from identity_proofs.errors import (
    KeystoreDamaged,
    KeystoreExists,
    KeystoreMissing,
    UnstorableKey,
    UnsupportedKeystore,
    WrongPassword,
)
from identity_proofs.identity import Identity
from identity_proofs.keystore import load_identity, read_commitment, save_identity

PASSWORD = "correct horse ü"
IDENTITY = Identity.from_private_key(bytes(range(1, 33)))
QUICK = 2**10


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "wallet.json"
    save_identity(path, IDENTITY, PASSWORD, work_factor=QUICK)
    return path


def change(path: Path, *names: str, value: Any) -> None:
    """Set the field found by following `names`."""
    keystore = json.loads(path.read_text("utf-8"))
    inner = keystore
    for name in names[:-1]:
        inner = inner[name]
    inner[names[-1]] = value
    path.write_text(json.dumps(keystore), "utf-8")


def test_identity_comes_back(path: Path) -> None:
    assert load_identity(path, PASSWORD).private_key == IDENTITY.private_key


def test_commitment_is_read_without_the_password(path: Path) -> None:
    assert read_commitment(path) == IDENTITY.commitment


def test_only_the_owner_can_read_the_file(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_file_holds_no_secret_and_no_ethereum_address(path: Path) -> None:
    text = path.read_text("utf-8")
    for secret in (IDENTITY.private_key.hex(), IDENTITY.export(), str(IDENTITY.secret_scalar)):
        assert secret not in text
    assert "address" not in json.loads(text)


def test_other_programs_open_the_file(path: Path) -> None:
    keystore = json.loads(path.read_text("utf-8"))
    assert decode_keyfile_json(keystore, PASSWORD.encode()) == IDENTITY.private_key


def test_keystore_of_another_program_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    key, password = IDENTITY.private_key, PASSWORD.encode()
    path.write_text(json.dumps(create_keyfile_json(key, password, kdf="scrypt", iterations=QUICK)))
    assert load_identity(path, PASSWORD).commitment == IDENTITY.commitment
    with pytest.raises(KeystoreDamaged, match="open it with the password"):
        read_commitment(path)


def test_nothing_is_overwritten(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(KeystoreExists):
        save_identity(path, Identity.generate(), PASSWORD, work_factor=QUICK)
    assert path.read_bytes() == before


def test_dangling_link_is_not_followed(tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(KeystoreExists):
        save_identity(link, IDENTITY, PASSWORD, work_factor=QUICK)
    assert not (tmp_path / "elsewhere.json").exists()


def test_wrong_password_is_told_apart(path: Path) -> None:
    for password in ("wrong", "", PASSWORD + " "):
        with pytest.raises(WrongPassword):
            load_identity(path, password)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(KeystoreMissing):
        load_identity(tmp_path / "none.json", PASSWORD)


@pytest.mark.parametrize(
    ("names", "value"),
    [
        (["version"], 4),
        (["version"], None),
        (["crypto", "kdf"], "pbkdf2"),
        (["crypto", "cipher"], "aes-256-gcm"),
        (["crypto", "kdfparams", "n"], 2**40),
        (["crypto", "kdfparams", "r"], 2**30),
        (["crypto", "kdfparams", "p"], 2**30),
    ],
)
def test_other_versions_and_algorithms_are_unsupported(
    path: Path, names: list[str], value: Any
) -> None:
    change(path, *names, value=value)
    with pytest.raises(UnsupportedKeystore):
        load_identity(path, PASSWORD)


@pytest.mark.parametrize(
    ("names", "value"),
    [
        (["crypto"], None),
        (["crypto", "kdfparams"], {}),
        (["crypto", "ciphertext"], "00" * 32),
        (["crypto", "mac"], "00" * 32),
        (["crypto", "cipherparams", "iv"], "zz"),
        (["commitment"], "1"),
        (["commitment"], None),
        (["checksum"], "00" * 32),
    ],
)
def test_damage_is_not_taken_for_a_wrong_password(path: Path, names: list[str], value: Any) -> None:
    change(path, *names, value=value)
    with pytest.raises(KeystoreDamaged):
        load_identity(path, PASSWORD)


@pytest.mark.parametrize(
    ("names", "value"),
    [
        (["crypto", "cipherparams", "iv"], "zz"),
        (["crypto", "cipherparams", "iv"], "00"),
        (["crypto", "cipherparams"], None),
        (["crypto", "ciphertext"], 7),
        (["crypto", "kdfparams"], {}),
        (["crypto", "kdfparams", "salt"], "xyz"),
        (["crypto", "kdfparams", "n"], "1024"),
        (["crypto", "kdfparams", "n"], True),
        (["crypto", "kdfparams", "n"], 1000),
        (["crypto", "kdfparams", "r"], -1),
        (["crypto", "kdfparams", "p"], 0),
    ],
)
def test_damage_that_no_checksum_covers_is_found(path: Path, names: list[str], value: Any) -> None:
    keystore = json.loads(path.read_text("utf-8"))
    del keystore["checksum"]
    path.write_text(json.dumps(keystore))
    change(path, *names, value=value)
    with pytest.raises(KeystoreDamaged):
        load_identity(path, PASSWORD)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff\xfe", b"null", b"[" * 10_000, b"[" * 10**6, b" " * 10**6],
    ids=range(8),
)
def test_what_is_no_keystore_is_damaged(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    for read in (read_commitment, lambda path: load_identity(path, PASSWORD)):
        with pytest.raises(KeystoreDamaged):
            read(path)


@pytest.mark.parametrize("names", [["checksum"], ["checksum", "commitment"]])
def test_fields_that_we_add_may_be_missing(path: Path, names: list[str]) -> None:
    keystore = json.loads(path.read_text("utf-8"))
    del keystore["checksum"]
    for name in names[1:]:
        del keystore[name]
    path.write_text(json.dumps(keystore))
    assert load_identity(path, PASSWORD).commitment == IDENTITY.commitment


def test_another_identitys_commitment_is_damage(path: Path) -> None:
    keystore = json.loads(path.read_text("utf-8"))
    del keystore["checksum"]
    path.write_text(json.dumps({**keystore, "commitment": "5"}))
    with pytest.raises(KeystoreDamaged, match="another identity"):
        load_identity(path, PASSWORD)


@pytest.mark.parametrize(
    "key", [b"a text key", bytes(33), b"\xff" * 32, bytes(32), b"k" * 4096], ids=range(5)
)
def test_any_bytes_can_be_a_stored_key(tmp_path: Path, key: bytes) -> None:
    path = tmp_path / "wallet.json"
    save_identity(path, Identity.from_private_key(key), PASSWORD, work_factor=QUICK)
    assert load_identity(path, PASSWORD).private_key == key
    assert decode_keyfile_json(json.loads(path.read_text()), PASSWORD.encode()) == key


@pytest.mark.parametrize("key", [b"", bytes(4097)], ids=len)
def test_keys_that_a_keystore_does_not_hold_are_refused(tmp_path: Path, key: bytes) -> None:
    path = tmp_path / "wallet.json"
    with pytest.raises(UnstorableKey):
        save_identity(path, Identity.from_private_key(key), PASSWORD, work_factor=QUICK)
    assert not path.exists()


def test_no_error_holds_the_key_or_the_password(path: Path) -> None:
    password = PASSWORD[::-1]
    with pytest.raises(WrongPassword) as refusal:
        load_identity(path, password)
    shown = "".join(traceback.format_exception(refusal.value))
    assert password not in shown
    assert IDENTITY.private_key.hex() not in shown


def test_keystores_need_no_library_that_lifts_the_recursion_limit() -> None:
    script = (
        "import sys, identity_proofs.keystore, identity_proofs.mnemonic, identity_proofs.verifier;"
        "assert 'py_ecc' not in sys.modules; assert sys.getrecursionlimit() == 1000"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[3])
