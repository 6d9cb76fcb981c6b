"""Our proofs, and our contract's verifier, against the official Solidity verifier.

All in an EVM of this process. The official verifier is asked as Semaphore.sol asks it.
"""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from identity_proofs.field import BASE_FIELD, SCALAR_FIELD
from identity_proofs.group import Group
from identity_proofs.identity import Identity
from identity_proofs.proof import SemaphoreProof, encode_signal, to_field
from identity_proofs.prover import Prover
from tests.contracts.chain import Chain, Contract, RevertedError
from tests.contracts.test_verifier import OUTSIDE_SUBGROUP
from tests.contracts.world import deploy_test_contract
from tests.interop.conftest import Node

pytestmark = pytest.mark.slow

IDENTITY = Identity.from_private_key(b"member")


@pytest.fixture(scope="module")
def verifier(node: Node) -> Contract:
    compiled = node("compile_verifier.mjs")
    return Chain().deploy(compiled["abi"], compiled["bytecode"])


@pytest.fixture(scope="module")
def proof(prover: Prover) -> SemaphoreProof:
    group = Group([1, 2, IDENTITY.commitment])
    scope, message = encode_signal("epoch 7"), encode_signal("pay me")
    return prover.prove(IDENTITY, group.proof(2), scope=scope, message=message)


@pytest.fixture(scope="module")
def ours() -> Contract:
    return deploy_test_contract(Chain(), "VerifierProbe")


def signals_of(proof: SemaphoreProof) -> tuple[int, ...]:
    message, scope = to_field(proof.message), to_field(proof.scope)
    return proof.merkle_tree_root, proof.nullifier, message, scope


def is_valid(verifier: Contract, proof: SemaphoreProof) -> bool:
    return says_official(verifier, signals_of(proof), proof.points, proof.merkle_tree_depth)


def says_official(
    verifier: Contract, signals: tuple[int, ...], points: tuple[int, ...], depth: int = 27
) -> bool:
    ax, ay, bx1, bx0, by1, by0, cx, cy = points
    answer: bool = verifier.call(
        "verifyProof", (ax, ay), ((bx1, bx0), (by1, by0)), (cx, cy), signals, depth
    )
    return answer


def says_ours(ours: Contract, signals: tuple[int, ...], points: tuple[int, ...]) -> bool:
    """False also where the contract refuses by reverting."""
    try:
        answer: bool = ours.call("verify", signals, points)
    except RevertedError:
        return False
    return answer


def test_our_proof_is_accepted(verifier: Contract, proof: SemaphoreProof) -> None:
    assert is_valid(verifier, proof)


@pytest.mark.parametrize("name", ["merkle_tree_root", "nullifier", "message", "scope"])
def test_a_changed_signal_is_refused(verifier: Contract, proof: SemaphoreProof, name: str) -> None:
    assert not is_valid(verifier, replace(proof, **{name: getattr(proof, name) ^ 1}))


def test_an_alias_and_another_depth_are_refused(verifier: Contract, proof: SemaphoreProof) -> None:
    assert not is_valid(verifier, replace(proof, nullifier=proof.nullifier + SCALAR_FIELD))
    assert not is_valid(verifier, replace(proof, merkle_tree_depth=proof.merkle_tree_depth - 1))


def negated(points: tuple[int, ...], *positions: int) -> tuple[int, ...]:
    return tuple(BASE_FIELD - p if i in positions else p for i, p in enumerate(points))


def test_both_verifiers_say_the_same_of_notable_inputs(
    verifier: Contract, ours: Contract, proof: SemaphoreProof
) -> None:
    signals, points = signals_of(proof), proof.points
    ax, ay, *b, cx, cy = points
    cases = {
        "valid": (signals, points),
        "its twin (-A, -B, C)": (signals, negated(points, 1, 4, 5)),
        "-A alone": (signals, negated(points, 1)),
        "A at infinity": (signals, (0, 0, *b, cx, cy)),
        "B at infinity": (signals, (ax, ay, 0, 0, 0, 0, cx, cy)),
        "C at infinity": (signals, (ax, ay, *b, 0, 0)),
        "all at infinity": (signals, (0,) * 8),
        "A off the curve": (signals, (ax, ay ^ 1, *b, cx, cy)),
        "B outside the subgroup": (signals, (ax, ay, *OUTSIDE_SUBGROUP, cx, cy)),
        "B with its real part first": (signals, (ax, ay, b[1], b[0], b[3], b[2], cx, cy)),
        "A and C swapped": (signals, (cx, cy, *b, ax, ay)),
        "signals all zero": ((0, 0, 0, 0), points),
        "signals swapped": (signals[::-1], points),
    }
    cases |= {
        f"signal {i} an alias": (_changed(signals, i, SCALAR_FIELD), points) for i in range(4)
    }
    cases |= {
        f"coordinate {i} not reduced": (signals, _changed(points, i, BASE_FIELD)) for i in range(8)
    }
    answers = {
        name: (says_official(verifier, *case), says_ours(ours, *case))
        for name, case in cases.items()
    }
    assert {name for name, (official, _) in answers.items() if official} == {
        "valid",
        "its twin (-A, -B, C)",
    }
    assert {name: a for name, a in answers.items() if a[0] != a[1]} == {}


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_both_verifiers_say_the_same(
    verifier: Contract, ours: Contract, proof: SemaphoreProof, data: st.DataObject
) -> None:
    """Of the valid proof with any of its twelve numbers changed in any way, or none."""
    numbers = [*signals_of(proof), *proof.points]
    words = st.integers(0, 2**256 - 1)
    for position in data.draw(st.lists(st.integers(0, 11), max_size=3)):
        change = data.draw(st.sampled_from(["word", "bit", "negate", "zero", "order"]))
        numbers[position] = {
            "word": data.draw(words),
            "bit": numbers[position] ^ 1 << data.draw(st.integers(0, 253)),
            "negate": (BASE_FIELD - numbers[position]) % 2**256,
            "zero": 0,
            "order": (numbers[position] + SCALAR_FIELD) % 2**256,
        }[change]
    signals, points = tuple(numbers[:4]), tuple(numbers[4:])
    assert says_official(verifier, signals, points) == says_ours(ours, signals, points)


def _changed(numbers: tuple[int, ...], position: int, by: int) -> tuple[int, ...]:
    return tuple(n + by if i == position else n for i, n in enumerate(numbers))
