import secrets

import pytest

from identity_proofs.field import SCALAR_FIELD as R
from identity_proofs.kernel import Kernel
from identity_proofs.poseidon import poseidon


@pytest.fixture(scope="module")
def kernel() -> Kernel:
    return Kernel.load()


def packed(*elements: int) -> bytes:
    return b"".join(element.to_bytes(32, "little") for element in elements)


def test_hashes_equal_the_plain_ones(kernel: Kernel) -> None:
    edges = [0, 1, R - 1, 2**64, 2**253, *(secrets.randbelow(R) for _ in range(3))]
    pairs = [(a, b) for a in edges for b in edges]
    hashes = kernel.poseidon2(b"".join(packed(*pair) for pair in pairs))
    assert hashes == packed(*(poseidon(pair) for pair in pairs))


def test_a_batch_longer_than_one_call_takes(kernel: Kernel) -> None:
    hashes = kernel.poseidon2(packed(1, 2) * 5000)
    assert hashes == packed(poseidon((1, 2))) * 5000


def test_no_pairs_have_no_hashes(kernel: Kernel) -> None:
    assert kernel.poseidon2(b"") == b""


@pytest.mark.parametrize("pair", [(R, 0), (0, R), (2**256 - 1, 1)])
def test_an_element_out_of_the_field_is_refused(kernel: Kernel, pair: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"\[0, r\)"):
        kernel.poseidon2(packed(1, 2) + packed(*pair))
    assert kernel.poseidon2(packed(1, 2)) == packed(poseidon((1, 2)))


def test_half_a_pair_is_refused(kernel: Kernel) -> None:
    with pytest.raises(ValueError, match="64 bytes"):
        kernel.poseidon2(packed(1))
