"""The kernel's fields and transform against plain Python integers."""

import secrets

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_ecc.fields import optimized_bn128_FQ2 as FQ2

from identity_proofs.field import BASE_FIELD as Q
from identity_proofs.field import SCALAR_FIELD as R
from identity_proofs.kernel import Kernel

KERNEL = Kernel.load()
EDGES = st.sampled_from([0, 1, 2, 2**64 - 1, 2**64, 2**128, 2**192, 2**253, R // 2, R - 1])
ELEMENTS = st.integers(0, R - 1) | EDGES


def packed(*values: int) -> bytes:
    return b"".join(value.to_bytes(32, "little") for value in values)


def unpacked(data: bytes | bytearray) -> list[int]:
    return [int.from_bytes(data[i : i + 32], "little") for i in range(0, len(data), 32)]


def arithmetic(field: str, a: bytes, b: bytes) -> tuple[list[int], bool]:
    with KERNEL.scratch() as scratch:
        out = scratch.reserve(4 * len(a))
        reduced = scratch.call(f"{field}_arithmetic", scratch.hold(a), scratch.hold(b), out)
        return unpacked(scratch.read(out, 4 * len(a))), bool(reduced)


@pytest.mark.parametrize(("field", "modulus"), [("fp", Q), ("fr", R)])
@settings(max_examples=100, deadline=None)
@given(a=ELEMENTS | st.just(R), b=ELEMENTS | st.just(R))
def test_prime_fields(field: str, modulus: int, a: int, b: int) -> None:
    a, b = a % modulus, b % modulus
    results, reduced = arithmetic(field, packed(a), packed(b))
    inverse = pow(a, -1, modulus) if a else 0
    assert results == [(a + b) % modulus, (a - b) % modulus, a * b % modulus, inverse]
    assert reduced


@pytest.mark.parametrize(("field", "modulus"), [("fp", Q), ("fr", R)])
def test_elements_not_below_the_modulus_are_noticed(field: str, modulus: int) -> None:
    noticed = [not arithmetic(field, packed(modulus + i), packed(0))[1] for i in (-1, 0, 1)]
    assert noticed == [False, True, True]
    assert not arithmetic(field, packed(2**256 - 1), packed(0))[1]


@settings(max_examples=50, deadline=None)
@given(st.tuples(ELEMENTS, ELEMENTS), st.tuples(ELEMENTS, ELEMENTS))
def test_quadratic_field(a: tuple[int, int], b: tuple[int, int]) -> None:
    x, y = FQ2(a), FQ2(b)
    inverse = x.inv() if any(a) else FQ2.zero()
    expected = [c for z in (x + y, x - y, x * y, inverse) for c in z.coeffs]
    assert arithmetic("fp2", packed(*a), packed(*b))[0] == expected


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(0, 2 * R - 1) | st.just(2 * R - 1), min_size=7, max_size=7),
    st.lists(ELEMENTS | st.just((R >> 192 << 192) - 1), min_size=7, max_size=7),
)
def test_dot_products_of_the_largest_elements(a: list[int], b: list[int]) -> None:
    """Their words of 64 bits add up to more than one word of carries."""
    with KERNEL.scratch() as scratch:
        out = scratch.reserve(32)
        scratch.call("fr_dot_of_7", scratch.hold(packed(*a)), scratch.hold(packed(*b)), out)
        [total] = unpacked(scratch.read(out, 32))
    assert total == sum(x * y for x, y in zip(a, b, strict=True)) * pow(2, -256, R) % R


@pytest.mark.parametrize("log_size", [0, 1, 2, 5])
def test_transform_to_the_odd_coset_is_interpolation(log_size: int) -> None:
    size = 1 << log_size
    root = pow(5, (R - 1) // (2 * size), R)
    coefficients = [secrets.randbelow(R) for _ in range(size)]

    def value(x: int) -> int:
        return sum(c * pow(x, i, R) for i, c in enumerate(coefficients)) % R

    with KERNEL.scratch() as scratch:
        values = scratch.hold(packed(*(value(pow(root, 2 * i, R)) for i in range(size))))
        assert scratch.call("values_to_odd_coset", values, log_size)
        on_coset = unpacked(scratch.read(values, 32 * size))
    assert on_coset == [value(pow(root, 2 * i + 1, R)) for i in range(size)]


def test_scratch_memory_is_overwritten_and_lent_again() -> None:
    with KERNEL.scratch() as scratch:
        address = scratch.hold(b"\xa5" * 1000)
    with KERNEL.scratch() as scratch:
        assert scratch.reserve(1000) == address
        assert scratch.read(address, 1000) == bytes(1000)


def test_more_memory_than_there_is_is_refused() -> None:
    with KERNEL.scratch() as scratch, pytest.raises(MemoryError):
        scratch.reserve(2**32 - 1)
    with KERNEL.scratch() as scratch:
        scratch.reserve(1000)
