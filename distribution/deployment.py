"""Putting the contracts on a chain, and the file by which every other command finds them."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self, TypeVar

from contracts.artifacts import load
from distribution.addresses import parse_address
from distribution.chain import Chain
from distribution.errors import DeploymentMismatch, NotDeployed, TermsInvalid

REGISTRY = load("PersonhoodRegistry")
DISTRIBUTOR = load("UbiDistributor")
TOKEN = load("LocalCoin")

NATIVE = "0x" + "00" * 20  # stands for the chain's own coin where a token is named
WHOLE = 10**18  # what a pool share is counted in
MAX_ATTESTERS = 32

_CONTRACTS = ("token", "registry", "distributor")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Terms:
    """What is paid, and when, and who attests.

    Attributes:
        attesters: addresses of those who sign changes of the registry.
        quorum: how many of them must sign.
        amount: the income of one epoch, in the token's smallest unit; 0 with a `share`.
        share: part of the pool paid out an epoch, of `WHOLE`; 0 with an `amount`.
        least_claimants: what a share is divided by, at least; 0 with an `amount`.
        epoch_length: seconds.
        late_epochs: how many past epochs may still be claimed.
        migration_delay: seconds from the announcement of a migration to the migration; None for
            the shortest allowed, in which the epoch of the announcement can still be claimed.
        pool: what a new local token mints into the pool, in the token's smallest unit.
        token: an existing ERC-20's address, or `NATIVE`; None deploys a `LocalCoin`, for local
            chains.
    """

    attesters: tuple[str, ...]
    quorum: int
    amount: int = 100 * 10**18
    share: int = 0
    least_claimants: int = 0
    epoch_length: int = 7 * 24 * 3600
    late_epochs: int = 4
    migration_delay: int | None = None
    pool: int = 1_000_000 * 10**18
    token: str | None = None

    def checked(self) -> Self:
        """These terms, with checksum addresses in the contracts' order, and nothing left open.

        Raises:
            TermsInvalid: they contradict themselves.
            AddressInvalid: an address is none.
        """
        attesters = sorted({parse_address(a) for a in self.attesters}, key=lambda a: int(a, 16))
        shortest = (self.late_epochs + 1) * self.epoch_length
        delay = shortest if self.migration_delay is None else self.migration_delay
        refusals = {
            "an attester is named twice": len(attesters) != len(self.attesters),
            f"there are at most {MAX_ATTESTERS} attesters": len(attesters) > MAX_ATTESTERS,
            "the quorum is at least 1 and at most the number of attesters": not (
                1 <= self.quorum <= len(attesters)
            ),
            "either an amount is paid or a share of the pool": (self.amount > 0)
            == (self.share > 0),
            "a share is below the whole pool, and has a least number of claimants": not (
                0 <= self.share < WHOLE and (self.share > 0) == (self.least_claimants > 0)
            ),
            "an epoch has a length": self.epoch_length < 1 or self.late_epochs < 0,
            f"a migration is announced at least {shortest} seconds before": delay < shortest,
        }
        for rule, broken in refusals.items():
            if broken:
                raise TermsInvalid(f"the terms contradict themselves: {rule}")
        token = None if self.token is None else parse_address(self.token)
        return replace(self, attesters=tuple(attesters), migration_delay=delay, token=token)


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where the contracts stand and what they were made with.

    Attributes:
        token: `NATIVE` if the chain's own coin is paid.
        block: the newest block before the first of them.
        genesis: when epoch 0 began, seconds since 1970.
        amount: in the token's smallest unit, of which a coin has 10 to the power `decimals`; 0
            under the policy of pool shares.
        attesters: the first ones; the registry knows the present.
        code_hashes: keccak256 of each contract's code, 0x-hex, by address.
    """

    chain_id: int
    registry: str
    distributor: str
    token: str
    block: int
    genesis: int
    epoch_length: int
    amount: int
    late_epochs: int
    decimals: int
    share: int
    least_claimants: int
    migration_delay: int
    attesters: tuple[str, ...]
    quorum: int
    code_hashes: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a deployment file.

        Raises:
            NotDeployed: there is none, or it cannot be read.
        """
        try:
            fields = json.loads(path.read_text())
            return cls(**{**fields, "attesters": tuple(fields["attesters"])})
        except FileNotFoundError as missing:
            raise NotDeployed("nothing is deployed yet: run `personhood deploy`") from missing
        except (ValueError, TypeError, KeyError) as damaged:
            raise NotDeployed(
                f"{path} is not a deployment file: restore it, or move it away and deploy anew"
            ) from damaged

    @property
    def fingerprint(self) -> str:
        """64 hexadecimal digits that no other deployment has, also on a chain that was reset."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def write(self, path: Path) -> None:
        """Write the deployment file, whole or not at all."""
        _write(path, asdict(self))

    def check(self, chain: Chain) -> Self:
        """This deployment, once it is seen to stand on `chain`.

        Raises:
            DeploymentMismatch: `chain` is another chain, or other code stands there.
            NotDeployed: there is no code at the addresses, as after a local chain was reset.
        """
        if chain.chain_id != self.chain_id:
            raise DeploymentMismatch(
                f"deployed on chain {self.chain_id}, but this endpoint is chain {chain.chain_id}"
            )
        for address, expected in self.code_hashes.items():
            found = chain.code_hash(address)
            if found is None:
                raise NotDeployed(
                    "the deployment file names contracts that this chain does not hold (was a "
                    "local chain reset?): move the file away and run `personhood deploy`"
                )
            if found != expected:
                raise DeploymentMismatch(
                    f"the code at {address} is not what was deployed: do not claim, and tell the "
                    "operators"
                )
        return self


def deploy(chain: Chain, terms: Terms, journal: Path | None = None) -> Deployment:
    """Deploy registry, distributor and, where no token is named, a token with a filled pool.

    Args:
        journal: where each step is noted when it is done, so that a call repeated after a crash
            goes on from there; the caller removes it once the deployment is written. A step
            whose transaction was under way is repeated, and its first contract is a harmless
            orphan.

    Raises:
        TermsInvalid: the terms contradict themselves.
        AddressInvalid: an address is none.
        DeploymentMismatch: the journal is of other terms or of another chain.
        DistributionError: the node refused or could not be reached.
    """
    terms = terms.checked()
    steps = _Steps(journal, {"chain_id": chain.chain_id, "terms": _plain(asdict(terms))})
    steps.forget_unless(lambda address: chain.code_hash(address) is not None)
    block = steps.once("block", chain.block_number)
    genesis = steps.once("genesis", chain.now)
    token = terms.token or steps.once("token", lambda: chain.deploy(TOKEN, "Local Coin", "LOCAL"))
    registry = steps.once(
        "registry", lambda: chain.deploy(REGISTRY, list(terms.attesters), terms.quorum)
    )
    distributor = steps.once(
        "distributor", lambda: chain.deploy(DISTRIBUTOR, registry, token, _tuple(terms, genesis))
    )
    if terms.token is None and chain.call(TOKEN, token, "totalSupply") == 0:
        chain.transact(TOKEN, token, "mint", distributor, terms.pool)
    addresses = [registry, distributor] + ([] if token == NATIVE else [token])
    return Deployment(
        chain_id=chain.chain_id,
        registry=registry,
        distributor=distributor,
        token=token,
        block=block,
        genesis=genesis,
        epoch_length=terms.epoch_length,
        amount=terms.amount,
        late_epochs=terms.late_epochs,
        decimals=18 if token == NATIVE else chain.call(TOKEN, token, "decimals"),
        share=terms.share,
        least_claimants=terms.least_claimants,
        migration_delay=terms.migration_delay or 0,
        attesters=terms.attesters,
        quorum=terms.quorum,
        code_hashes={address: chain.code_hash(address) or "" for address in addresses},
    )


class _Steps:
    """What was done already, kept in a file."""

    def __init__(self, path: Path | None, about: dict[str, Any]) -> None:
        self._path = path
        self._done: dict[str, Any] = about
        if path is not None and path.exists():
            try:
                done = json.loads(path.read_text())
            except ValueError:
                done = {}
            if {name: done.get(name) for name in about} != about:
                raise DeploymentMismatch(
                    f"{path} is of a deployment that was begun on other terms or another chain: "
                    "repeat it with those, or move the file away"
                )
            self._done = done
        self._about = about

    def forget_unless(self, stands: Callable[[str], bool]) -> None:
        """Begin anew if a contract is gone, as after a local chain was reset."""
        contracts = [self._done[name] for name in _CONTRACTS if name in self._done]
        if not all(stands(address) for address in contracts):
            self._done = dict(self._about)

    def once(self, name: str, step: Callable[[], _T]) -> _T:
        if name not in self._done:
            self._done[name] = step()
            if self._path is not None:
                _write(self._path, self._done)
        done: _T = self._done[name]
        return done


def _tuple(terms: Terms, genesis: int) -> tuple[int, ...]:
    """The contract's struct `Terms`."""
    return (
        genesis,
        terms.epoch_length,
        terms.late_epochs,
        terms.amount,
        terms.share,
        terms.least_claimants,
        terms.migration_delay or 0,
    )


def _plain(value: Any) -> Any:
    """As JSON gives it back."""
    return json.loads(json.dumps(value))


def _write(path: Path, fields: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(fields, indent=2) + "\n")
    draft.replace(path)
