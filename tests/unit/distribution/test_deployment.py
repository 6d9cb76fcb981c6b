"""The deployment file: written whole, read back the same, and told when it is not one."""

from pathlib import Path

import pytest

from distribution.deployment import Deployment
from distribution.errors import NotDeployed

DEPLOYMENT = Deployment(
    chain_id=31337,
    registry="0x" + "11" * 20,
    distributor="0x" + "22" * 20,
    token="0x" + "33" * 20,
    block=7,
    genesis=1_700_000_000,
    epoch_length=3600,
    amount=5,
    late_epochs=2,
    decimals=18,
    share=0,
    least_claimants=0,
    migration_delay=10_800,
    attesters=("0x" + "44" * 20,),
    quorum=1,
    code_hashes={"0x" + "11" * 20: "0x" + "55" * 32},
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "deployment.json"
    DEPLOYMENT.write(path)
    assert Deployment.read(path) == DEPLOYMENT
    assert [file.name for file in path.parent.iterdir()] == ["deployment.json"]


def test_none(tmp_path: Path) -> None:
    with pytest.raises(NotDeployed, match="personhood deploy"):
        Deployment.read(tmp_path / "deployment.json")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"chain_id": 1}', '{"surprise": 1}'])
def test_a_damaged_file_is_not_overwritten_silently(tmp_path: Path, text: str) -> None:
    path = tmp_path / "deployment.json"
    path.write_text(text)
    with pytest.raises(NotDeployed, match="not a deployment file"):
        Deployment.read(path)
    assert path.read_text() == text
