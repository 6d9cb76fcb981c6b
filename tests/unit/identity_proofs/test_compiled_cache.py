import os
from importlib import metadata
from pathlib import Path

import pytest

from identity_proofs import webassembly
from identity_proofs.compiled_cache import CompiledCache
from identity_proofs.webassembly import Store, compile_program

PROGRAM = '(module (func (export "answer") (result i32) (i32.const 42)))'


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "compiled"


@pytest.fixture
def cache(directory: Path) -> CompiledCache:
    cache = CompiledCache(directory)
    cache.put("name", b"machine code")
    return cache


def program_in(directory: Path) -> Path:
    (compiled,) = (path for path in directory.iterdir() if path.name != "name")
    return compiled


def answer(cache: CompiledCache) -> int:
    return Store().instantiate(compile_program(PROGRAM, cache)).call("answer")


def test_what_was_put_is_got_until_replaced(cache: CompiledCache) -> None:
    assert cache.get("name") == b"machine code"
    cache.put("name", b"other")
    assert (cache.get("name"), cache.get("no such")) == (b"other", None)


@pytest.mark.usefixtures("cache")
def test_it_is_the_users_alone_and_leaves_no_half_files(directory: Path) -> None:
    assert directory.stat().st_mode & 0o777 == 0o700
    assert [(path.name, path.stat().st_mode & 0o777) for path in directory.iterdir()] == [
        ("name", 0o600)
    ]


def test_every_flipped_byte_is_noticed(cache: CompiledCache, directory: Path) -> None:
    path = directory / "name"
    content = path.read_bytes()
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 1
        path.write_bytes(damaged)
        assert cache.get("name") is None


def test_a_half_written_file_is_noticed(cache: CompiledCache, directory: Path) -> None:
    path = directory / "name"
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        assert cache.get("name") is None


def test_a_file_under_another_name_is_noticed(cache: CompiledCache, directory: Path) -> None:
    (directory / "name").rename(directory / "newer")
    assert cache.get("newer") is None


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_directory_that_others_may_write_to_is_not_used(
    cache: CompiledCache, directory: Path, mode: int
) -> None:
    directory.chmod(mode)
    assert cache.get("name") is None
    cache.put("second", b"x")
    assert not (directory / "second").exists()


def test_a_file_that_others_may_write_to_is_not_used(cache: CompiledCache, directory: Path) -> None:
    (directory / "name").chmod(0o622)
    assert cache.get("name") is None


def test_links_are_not_followed(cache: CompiledCache, directory: Path, tmp_path: Path) -> None:
    (directory / "name").rename(tmp_path / "elsewhere")
    (directory / "name").symlink_to(tmp_path / "elsewhere")
    assert cache.get("name") is None
    linked = tmp_path / "link"
    linked.symlink_to(directory)
    CompiledCache(linked).put("third", b"x")
    assert not (directory / "third").exists()
    assert CompiledCache(linked).get("third") is None


def test_a_directory_of_another_user_is_not_used(
    cache: CompiledCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    another = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: another)
    assert cache.get("name") is None


def test_a_directory_that_cannot_be_made_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = CompiledCache(tmp_path / "file" / "compiled")
    cache.put("name", b"x")
    assert cache.get("name") is None
    assert answer(cache) == 42


def test_a_program_is_compiled_once(cache: CompiledCache, monkeypatch: pytest.MonkeyPatch) -> None:
    assert answer(cache) == 42

    def compiling(*_: object) -> None:
        raise AssertionError("compiled again")

    monkeypatch.setattr(webassembly.wasmtime.Module, "__init__", compiling)
    assert answer(cache) == 42


def test_damage_and_other_versions_are_compiled_again(
    cache: CompiledCache, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(cache)
    compiled = program_in(directory)
    whole = compiled.read_bytes()
    compiled.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert answer(cache) == 42
    assert compiled.read_bytes() == whole
    monkeypatch.setattr(webassembly, "_compiler", lambda: "newer")
    assert answer(cache) == 42
    assert [path.name[64:] for path in directory.glob("*-newer")] == ["-newer"]


def test_what_wasmtime_itself_refuses_is_compiled_again(
    cache: CompiledCache, directory: Path
) -> None:
    answer(cache)
    compiled = program_in(directory)
    cache.put(compiled.name, b"no program")
    assert answer(cache) == 42
    assert cache.get(compiled.name) != b"no program"


def test_versions_of_the_compiler_have_names_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert metadata.version("wasmtime") in webassembly._wasmtime_version()
    names = set()
    for version in ("50.0.1", "50.0.2"):
        monkeypatch.setattr(webassembly, "_wasmtime_version", lambda version=version: version)
        webassembly._compiler.cache_clear()
        names.add(webassembly._compiler())
    webassembly._compiler.cache_clear()
    assert len(names) == 2
