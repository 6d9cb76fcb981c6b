from typing import Any

import pytest

from identity_proofs.identity import Identity, Signature, verify_signature
from tests.conformance.vectors_reader import read_vectors

VECTORS = read_vectors("identity")

parametrize = pytest.mark.parametrize("vector", VECTORS, ids=range(len(VECTORS)))


def test_there_are_twenty_vectors() -> None:
    assert len(VECTORS) == 20


@parametrize
def test_identity_is_the_references(vector: dict[str, Any]) -> None:
    identity = Identity.from_private_key(bytes.fromhex(vector["privateKeyHex"]))
    assert identity.secret_scalar == int(vector["secretScalar"])
    assert identity.public_key == tuple(map(int, vector["publicKey"]))
    assert identity.commitment == int(vector["commitment"])


@parametrize
def test_export_goes_both_ways(vector: dict[str, Any]) -> None:
    identity = Identity.from_export(vector["export"])
    assert identity.export() == vector["export"]
    assert identity.private_key.hex() == vector["privateKeyHex"]


@parametrize
def test_signature_is_the_references(vector: dict[str, Any]) -> None:
    identity = Identity.from_private_key(bytes.fromhex(vector["privateKeyHex"]))
    message = int(vector["sig_message"])
    x, y = map(int, vector["signature"]["R8"])
    expected = Signature((x, y), int(vector["signature"]["S"]))
    assert identity.sign(message) == expected
    assert verify_signature(identity.public_key, message, expected)
    assert not verify_signature(identity.public_key, message + 1, expected)
