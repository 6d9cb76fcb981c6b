import pytest

from identity_proofs.field import SCALAR_FIELD
from identity_proofs.poseidon import poseidon, poseidon_pair


@pytest.mark.parametrize("inputs", [[], [1] * 6], ids=["none", "six"])
def test_number_of_inputs_is_checked(inputs: list[int]) -> None:
    with pytest.raises(ValueError, match="1 to 5 inputs"):
        poseidon(inputs)


@pytest.mark.parametrize("value", [-1, SCALAR_FIELD])
def test_inputs_out_of_the_field_are_refused(value: int) -> None:
    with pytest.raises(ValueError, match=r"\[0, r\)"):
        poseidon([1, value])


@pytest.mark.parametrize("pair", [(0, 0), (1, 2), (SCALAR_FIELD - 1, SCALAR_FIELD - 2)])
def test_the_kernel_hashes_a_pair_to_the_same(pair: tuple[int, int]) -> None:
    assert poseidon_pair(*pair) == poseidon(pair)
