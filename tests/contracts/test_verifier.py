"""The verifier module asked directly, without the checks that the distributor makes first."""

import pytest
from py_ecc.bn128.bn128_curve import b2, curve_order, is_on_curve, multiply
from py_ecc.fields import bn128_FQ2

from identity_proofs.proof import to_field
from tests.contracts.chain import CHAIN_ID, Chain, Contract
from tests.contracts.claims import GROUP, Claim, Claims, message_of, scope_of
from tests.contracts.world import FIELD_ORDER, build_world, deploy_test_contract

pytestmark = pytest.mark.slow

Signals = list[int]

# On the twist of BN254, but not in the subgroup of order r: x = 1. Imaginary parts first.
OUTSIDE_SUBGROUP = (
    0,
    1,
    5912654199736721486680175016176231956195085055698687135131307249486702594212,
    18278151005453108793778860132295291098363647455926340152056652516292830556603,
)


def test_the_point_outside_the_subgroup_is_on_the_curve() -> None:
    x_im, x_re, y_im, y_re = OUTSIDE_SUBGROUP
    point = (bn128_FQ2([x_re, x_im]), bn128_FQ2([y_re, y_im]))
    assert is_on_curve(point, b2)
    assert multiply(point, curve_order) is not None


@pytest.fixture(scope="module")
def verifier() -> Contract:
    return deploy_test_contract(Chain(), "VerifierProbe")


@pytest.fixture(scope="module")
def claim(claims: Claims) -> Claim:
    return claims.of(0)


@pytest.fixture(scope="module")
def signals(claim: Claim) -> Signals:
    message = message_of(claim.recipient, claim.fee, claim.relayer)
    scope = scope_of(CHAIN_ID, build_world().distributor.address, claim.epoch)
    return [GROUP.root, claim.nullifier, to_field(message), to_field(scope)]


def test_accepts_a_proof(verifier: Contract, signals: Signals, claim: Claim) -> None:
    assert verifier.call("verify", signals, claim.points) is True


@pytest.mark.parametrize("position", range(4))
@pytest.mark.parametrize("change", [1, -1, FIELD_ORDER, 2 * FIELD_ORDER])
def test_refuses_any_other_signal(
    verifier: Contract, signals: Signals, claim: Claim, position: int, change: int
) -> None:
    """Also one that differs by a multiple of the field's order, for which the equation holds."""
    other = [signal + change * (i == position) for i, signal in enumerate(signals)]
    assert verifier.call("verify", other, claim.points) is False


def test_refuses_signals_in_another_order(
    verifier: Contract, signals: Signals, claim: Claim
) -> None:
    root, nullifier, message, scope = signals
    assert verifier.call("verify", [root, nullifier, scope, message], claim.points) is False


def test_refuses_the_real_part_first(verifier: Contract, signals: Signals, claim: Claim) -> None:
    ax, ay, bx1, bx0, by1, by0, cx, cy = claim.points
    assert verifier.call("verify", signals, [ax, ay, bx0, bx1, by0, by1, cx, cy]) is False


def test_refuses_a_point_outside_the_subgroup(
    verifier: Contract, signals: Signals, claim: Claim
) -> None:
    ax, ay, *_, cx, cy = claim.points
    assert verifier.call("verify", signals, [ax, ay, *OUTSIDE_SUBGROUP, cx, cy]) is False
