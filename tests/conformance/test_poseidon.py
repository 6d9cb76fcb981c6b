import pytest

from identity_proofs.poseidon import poseidon
from tests.conformance.vectors_reader import read_vectors

VECTORS = read_vectors("poseidon")


def test_there_are_vectors_of_every_arity() -> None:
    assert len(VECTORS) == 115
    assert {vector["arity"] for vector in VECTORS} == {1, 2, 3, 4, 5}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"arity{vector['arity']}")
def test_hash_is_the_references(vector: dict[str, object]) -> None:
    inputs = vector["inputs"]
    assert isinstance(inputs, list)
    assert poseidon([int(value) for value in inputs]) == int(str(vector["output"]))
