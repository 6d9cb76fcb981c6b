"""What attesters sign, and an attester: a key, and a tree of its own that it signs from.

The messages are EIP-712 structures, bound to one contract on one chain and to the version of the
attester set. Signatures travel in the compact form of EIP-2098, sorted by signer.
"""

import os
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data
from eth_account.signers.local import LocalAccount
from eth_keys.exceptions import BadSignature
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError

from distribution.errors import AttestationRefused, AttesterKeyInvalid
from identity_proofs.errors import IdentityProofsError
from identity_proofs.group import Group

Signature: TypeAlias = tuple[int, int]
"""r, and s with the parity of the point in its highest bit."""

NO_CHECKPOINT = bytes(32)


@dataclass(frozen=True, slots=True)
class TypedMessage:
    """An EIP-712 structure and the contract that it is meant for.

    Attributes:
        fields: name, type and value of each member, in order.
    """

    chain_id: int
    contract: str
    contract_name: str
    name: str
    fields: tuple[tuple[str, str, Any], ...]

    def sign(self, account: LocalAccount) -> Signature:
        signed = account.sign_message(self._encode())
        return signed.r, (signed.v - 27) << 255 | signed.s

    def signer_of(self, signature: Signature) -> str | None:
        """The checksum address whose key made a signature; None where none can have."""
        r, compact = signature
        v, s = 27 + (compact >> 255), compact & ((1 << 255) - 1)
        try:
            return str(Account.recover_message(self._encode(), vrs=(v, r, s)))
        except (BadSignature, ValidationError, ValueError):
            return None

    def _encode(self) -> SignableMessage:
        return encode_typed_data(
            domain_data={
                "name": self.contract_name,
                "version": "1",
                "chainId": self.chain_id,
                "verifyingContract": self.contract,
            },
            message_types={self.name: [{"name": n, "type": t} for n, t, _ in self.fields]},
            message_data={name: value for name, _, value in self.fields},
        )


@dataclass(frozen=True, slots=True)
class RootUpdate:
    """A change of the group, as the registry takes it.

    Attributes:
        attester_set: version of the set that is asked to sign.
        first_index: of the new commitments: the group's size before.
        removals: indices of the leaves set to 0, ascending.
        checkpoint: digest of the decision log that accounts for the change, 32 bytes.
    """

    attester_set: int
    previous_root: int
    root: int
    first_index: int
    commitments: tuple[int, ...]
    removals: tuple[int, ...] = ()
    checkpoint: bytes = NO_CHECKPOINT

    def message(self, chain_id: int, registry: str) -> TypedMessage:
        """What an attester signs."""
        batch = encode(["uint256[]", "uint256[]"], [self.commitments, self.removals])
        fields = (
            ("attesterSet", "uint256", self.attester_set),
            ("prevRoot", "uint256", self.previous_root),
            ("newRoot", "uint256", self.root),
            ("firstIndex", "uint256", self.first_index),
            ("batch", "bytes32", keccak(batch)),
            ("checkpoint", "bytes32", self.checkpoint),
        )
        return TypedMessage(chain_id, registry, "PersonhoodRegistry", "Update", fields)


def attester_change(
    chain_id: int, registry: str, attester_set: int, attesters: Iterable[str], quorum: int
) -> TypedMessage:
    """What the attesters of version `attester_set` sign to hand over to others."""
    fields = (
        ("attesterSet", "uint256", attester_set),
        ("attesters", "address[]", list(attesters)),
        ("quorum", "uint256", quorum),
    )
    return TypedMessage(chain_id, registry, "PersonhoodRegistry", "AttesterChange", fields)


def pause(
    chain_id: int, distributor: str, attester_set: int, action: int, *, paused: bool
) -> TypedMessage:
    """What attesters sign to stop claims for a while, or to let them go on."""
    fields = (
        ("attesterSet", "uint256", attester_set),
        ("action", "uint256", action),
        ("paused", "bool", paused),
    )
    return TypedMessage(chain_id, distributor, "UbiDistributor", "Pause", fields)


def migration(
    chain_id: int, distributor: str, attester_set: int, action: int, destination: str
) -> TypedMessage:
    """What attesters sign to announce where the pool will go; the zero address takes it back."""
    fields = (
        ("attesterSet", "uint256", attester_set),
        ("action", "uint256", action),
        ("destination", "address", destination),
    )
    return TypedMessage(chain_id, distributor, "UbiDistributor", "Migration", fields)


def sign_sorted(message: TypedMessage, accounts: Iterable[LocalAccount]) -> list[Signature]:
    """Signatures of `accounts`, in the order that the contracts ask for."""
    return [message.sign(account) for account in sorted(accounts, key=_number)]


class Attester:
    """Signs an update if its own tree comes to the same root.

    Args:
        key: 32-byte private key in hex.
        read_group: rebuilds the group from the chain alone; asked when the own tree is not the
            one that an update starts from.
    """

    def __init__(self, key: str, read_group: Callable[[], Group]) -> None:
        self._account: LocalAccount = Account.from_key(key)
        self._read_group = read_group
        self._group = Group()

    @property
    def address(self) -> str:
        return str(self._account.address)

    def attest(self, update: RootUpdate, chain_id: int, registry: str) -> Signature:
        """Sign `update`.

        Raises:
            AttestationRefused: it does not start from the registry's root, or does not lead to
                the root that it names.
        """
        if self._group.root != update.previous_root:
            self._group = self._read_group()
        if (self._group.root, self._group.size) != (update.previous_root, update.first_index):
            raise AttestationRefused(
                f"attester {self.address}: the update does not start from the registry's root"
            )
        doubt = self._apply(update)
        if doubt is not None:
            self._group = Group()  # half changed: the next time it is rebuilt
            raise AttestationRefused(f"attester {self.address}: {doubt}")
        return update.message(chain_id, registry).sign(self._account)

    def _apply(self, update: RootUpdate) -> str | None:
        """Change the own tree; returns what speaks against the update, if anything."""
        try:
            self._group.insert_many(update.commitments)
            for index in update.removals:
                self._group.remove(index)
        except IdentityProofsError as impossible:
            return str(impossible)
        if self._group.root != update.root:
            return "these members do not give the root of the update"
        return None


def load_or_create_keys(folder: Path, count: int) -> list[str]:
    """The keys of attesters on this machine, made on first use in files of mode 0600.

    Attesters on one machine are not independent of each other: whoever has the machine has them
    all. They let a local chain run the same protocol, and no more.

    Returns:
        `count` private keys in hex, or as many as there are files.

    Raises:
        AttesterKeyInvalid: a file holds no key.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not any(folder.glob("*.key")):
        for number in range(1, count + 1):
            _write_key(folder / f"attester-{number}.key", "0x" + secrets.token_bytes(32).hex())
    return load_keys(folder)


def load_keys(folder: Path) -> list[str]:
    """The keys in `folder`; none if there is none.

    Raises:
        AttesterKeyInvalid: a file holds no key.
    """
    keys = []
    for path in sorted(folder.glob("*.key")):
        key = path.read_text().strip()
        try:
            Account.from_key(key)
        except (ValueError, TypeError):
            # Not chained: the cause may quote the key.
            raise AttesterKeyInvalid(f"{path} holds no secp256k1 key: restore it") from None
        keys.append(key)
    return keys


def address_of(key: str) -> str:
    """The checksum address of a private key in hex."""
    return str(Account.from_key(key).address)


def _write_key(path: Path, key: str) -> None:
    draft = path.with_suffix(".tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(key + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _number(account: LocalAccount) -> int:
    return int(account.address, 16)
