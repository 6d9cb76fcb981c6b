"""An attester signs what its own tree comes to, and keys are made once and kept."""

from dataclasses import replace
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from distribution.attestation import (
    Attester,
    RootUpdate,
    Signature,
    address_of,
    load_keys,
    load_or_create_keys,
)
from distribution.errors import AttestationRefused, AttesterKeyInvalid
from identity_proofs.group import Group

CHAIN_ID, REGISTRY = 31337, "0x" + "12" * 20
KEY = "0x" + "11" * 32
POSTED = [5, 6, 7]


def update_to(group: Group, *commitments: int, removals: tuple[int, ...] = ()) -> RootUpdate:
    """The honest update of `group`."""
    after = Group([*group.members, *commitments])
    for index in removals:
        after.remove(index)
    return RootUpdate(1, group.root, after.root, group.size, commitments, removals)


def signer_of(update: RootUpdate, signature: Signature) -> str:
    """Recovered from the structure as a wallet would show it."""
    r, vs = signature
    fields = update.message(CHAIN_ID, REGISTRY).fields
    signable = encode_typed_data(
        {
            "name": "PersonhoodRegistry",
            "version": "1",
            "chainId": CHAIN_ID,
            "verifyingContract": REGISTRY,
        },
        {"Update": [{"name": name, "type": kind} for name, kind, _ in fields]},
        {name: value for name, _, value in fields},
    )
    return str(Account.recover_message(signable, vrs=(27 + (vs >> 255), r, vs % 2**255)))


@pytest.fixture
def attester() -> Attester:
    return Attester(KEY, lambda: Group(POSTED))


def test_it_signs_what_its_tree_comes_to(attester: Attester) -> None:
    update = update_to(Group(POSTED), 8, 9, removals=(0, 4))
    signature = attester.attest(update, CHAIN_ID, REGISTRY)
    assert signer_of(update, signature) == attester.address == address_of(KEY)


def test_it_goes_on_from_what_it_signed_or_from_the_chain(attester: Attester) -> None:
    first = update_to(Group(POSTED), 8)
    second = update_to(Group([*POSTED, 8]), 9)
    for update in (first, second, first):  # the third time nothing was posted after all
        attester.attest(update, CHAIN_ID, REGISTRY)


@pytest.mark.parametrize(
    "change",
    [
        {"root": 1},
        {"previous_root": 1},
        {"first_index": 2},
        {"commitments": (9,)},
        {"commitments": (8, 9)},
        {"commitments": (5,)},  # a member already
        {"commitments": (8, 8)},
        {"commitments": (0,)},
        {"commitments": (2**255,)},
        {"removals": (0,)},
        {"removals": (4,)},
        {"removals": (0, 0)},
    ],
    ids=str,
)
def test_it_refuses_a_lie_and_signs_the_truth_after_it(
    attester: Attester, change: dict[str, object]
) -> None:
    update = update_to(Group(POSTED), 8)
    with pytest.raises(AttestationRefused, match=attester.address):
        attester.attest(replace(update, **change), CHAIN_ID, REGISTRY)  # type: ignore[arg-type]
    attester.attest(update, CHAIN_ID, REGISTRY)


def test_keys_are_made_once_and_are_their_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "attesters"
    assert load_keys(folder) == []
    keys = load_or_create_keys(folder, 3)
    assert len({address_of(key) for key in keys}) == 3
    assert load_or_create_keys(folder, 5) == load_keys(folder) == keys
    assert folder.stat().st_mode & 0o077 == 0
    assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o600] * 3


def test_a_damaged_key_is_told_and_not_shown(tmp_path: Path) -> None:
    load_or_create_keys(tmp_path, 1)
    (tmp_path / "attester-1.key").write_text("0xsecret")
    with pytest.raises(AttesterKeyInvalid) as caught:
        load_keys(tmp_path)
    assert "secret" not in str(caught.value)
