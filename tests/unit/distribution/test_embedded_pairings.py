"""The kernel in the place of py-evm's own pairings: the same answers to the same data."""

import sys

import eth.precompiles  # noqa: F401 - so that its module is there
import pytest
from eth_utils.exceptions import ValidationError
from py_ecc import optimized_bn128 as bn128

from distribution.embedded_pairings import product_is_one
from identity_proofs.field import BASE_FIELD as Q
from identity_proofs.kernel import Kernel

THEIRS = sys.modules["eth.precompiles.ecpairing"]._ecpairing


@pytest.fixture(scope="module")
def kernel():
    return Kernel.load()


def words(*numbers):
    return b"".join(number.to_bytes(32, "big") for number in numbers)


def g1(scalar):
    x, y = bn128.normalize(bn128.multiply(bn128.G1, scalar))
    return words(x.n, y.n)


def g2(scalar):
    point = bn128.normalize(bn128.multiply(bn128.G2, scalar))
    return words(*(int(part) for at in point for part in reversed(at.coeffs)))


NOWHERE_1, NOWHERE_2 = bytes(64), bytes(128)
OFF_THE_CURVE = words(1, 1)
OUT_OF_RANGE = words(1 + Q, 2)
ON_THE_TWIST = words(1, 2, 3, 4)
MINUS_ONE = bn128.curve_order - 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        g1(6) + g2(1) + g1(MINUS_ONE) + g2(6),
        g1(6) + g2(1) + g1(MINUS_ONE) + g2(5),
        g1(5) + g2(7),
        NOWHERE_1 + g2(3),
        g1(3) + NOWHERE_2,
        NOWHERE_1 + NOWHERE_2,
        OFF_THE_CURVE + g2(1),
        OFF_THE_CURVE + NOWHERE_2,
        OUT_OF_RANGE + g2(1),
        OUT_OF_RANGE + NOWHERE_2,
        g1(1) + ON_THE_TWIST,
    ],
    ids=[
        "nothing",
        "one",
        "another product",
        "a pair",
        "infinity in G1",
        "infinity in G2",
        "infinity in both",
        "off the curve",
        "off the curve, with infinity",
        "out of range",
        "out of range, with infinity",
        "off the twist",
    ],
)
def test_the_kernel_answers_as_py_evm(kernel, data):
    def answer(compute):
        try:
            return compute(data)
        except ValidationError:
            return "refused"

    assert answer(lambda data: product_is_one(kernel, data)) == answer(THEIRS)
