"""py-evm's precompiled contract for pairings (EIP-197), computed by our kernel.

py-evm takes py_ecc, and half a second of CPU time a pair; the kernel a thousandth of it.
"""

import sys

from eth_utils.exceptions import ValidationError

from identity_proofs.kernel import Kernel, Product, Term

_WORD, _PAIR = 32, 192  # bytes
_ONE = (1).to_bytes(_WORD, "little")
_INFINITY_OF_G2 = bytes(4 * _WORD)


def use_kernel() -> None:
    """Let every chain of py-evm in this process compute pairings by the kernel."""
    import eth.precompiles  # noqa: F401 - its name for the module is that of a function

    kernel = Kernel.load()
    module = sys.modules["eth.precompiles.ecpairing"]
    module._ecpairing = lambda data: product_is_one(kernel, data)  # type: ignore[attr-defined]


def product_is_one(kernel: Kernel, data: bytes | memoryview) -> bool:
    """Tell whether the product of some pairings is one.

    Args:
        data: pairs as EIP-197 has them, 192 bytes each.

    Raises:
        ValidationError: a point is off its curve or outside its group.
    """
    content = bytes(data)
    pairs: list[tuple[list[Term], bytes]] = []
    for start in range(0, len(content), _PAIR):
        # Little-endian for the kernel, which has the real part of a coordinate first.
        x, y, x_i, x_r, y_i, y_r = (
            content[place : place + _WORD][::-1] for place in range(start, start + _PAIR, _WORD)
        )
        p, q = x + y, x_r + x_i + y_r + y_i
        if q != _INFINITY_OF_G2:
            pairs.append(([(p, 1)], q))
            continue
        try:
            kernel.msm_g1(p, _ONE)
        except ValueError as invalid:
            raise ValidationError("a point is not on the curve of G1") from invalid
    found = kernel.multiply_pairings(pairs) if pairs else Product.ONE
    if found not in (Product.ONE, Product.OTHER):
        raise ValidationError(f"a point is none of its group: {found.name}")
    return found is Product.ONE
