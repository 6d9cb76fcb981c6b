from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from identity_proofs.group import Group, MerkleProof
from identity_proofs.group_file_writer import GroupFileWriter
from tests.conformance.vectors_reader import read_vectors

VECTORS = read_vectors("group")


def apply(group: Group | GroupFileWriter, operation: dict[str, Any]) -> None:
    match operation["op"]:
        case "insertMany":
            group.insert_many(map(int, operation["members"]))
        case "insertEach":
            for member in operation["members"]:
                group.insert(int(member))
        case "update":
            group.update(operation["index"], int(operation["member"]))
        case "remove":
            group.remove(operation["index"])
        case other:
            raise ValueError(other)


def test_there_are_twenty_groups_with_76_proofs() -> None:
    assert len(VECTORS) == 20
    assert sum(len(vector["proofs"]) for vector in VECTORS) == 76


@pytest.fixture(params=["in memory", "on disk"])
def group(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Group | GroupFileWriter]:
    if request.param == "in memory":
        yield Group()
    else:
        with GroupFileWriter(tmp_path) as writer:
            yield writer


@pytest.mark.parametrize(
    "vector",
    [
        pytest.param(v, marks=[pytest.mark.slow] if v["size"] > 200 else [], id=v["name"])
        for v in VECTORS
    ],
)
def test_group_is_the_references(vector: dict[str, Any], group: Group | GroupFileWriter) -> None:
    for operation, expected in zip(vector["ops"], vector["roots"], strict=True):
        apply(group, operation)
        assert group.root == int(expected["root"])
        assert (group.depth, group.size) == (expected["depth"], expected["size"])
    assert group.root == int(vector["finalRoot"])
    assert group.depth == vector["finalDepth"]
    for entry in vector["proofs"]:
        proof = group.proof(entry["leafIndex"])
        assert proof == read_merkle_proof(entry["proof"])
        assert proof.verify()


def read_merkle_proof(fields: dict[str, Any]) -> MerkleProof:
    siblings = tuple(map(int, fields["siblings"]))
    return MerkleProof(int(fields["root"]), int(fields["leaf"]), fields["index"], siblings)
