"""The one owner of an account's nonces: sends, pays more, waits, notices that a block is gone.

A transaction is signed and kept before it is sent, so that a process that dies anywhere goes on
with the same one: it can be sent again as often as one likes, the chain takes it once.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Self

import structlog
from eth_account import Account
from eth_utils.address import to_canonical_address

from distribution.chain import Call, Chain
from distribution.database import Database, sole_sender
from distribution.deployment import Deployment
from distribution.endpoint import open_account
from distribution.errors import ChainUnreachable, DistributionError, SenderMissing
from distribution.inclusions import Inclusions
from distribution.journal import Journal, Note, now
from distribution.sent import Sent, SentState, Version

_log = structlog.get_logger("distribution.sender")

GWEI = 10**9
FRESH = 1.0  # seconds for which fees are taken from memory
LOCAL_ALLOWANCE = 10**19  # wei that a local node gives to an account that it does not hold


@dataclass(frozen=True, slots=True)
class SendingPolicy:
    """How much is paid, and how sure is sure.

    Attributes:
        confirmations: blocks, with its own, under which a transaction is final.
        bump_after: seconds after which one that is not included is signed again, paying more.
        bump: by how much more, in thousandths; nodes refuse less than a tenth.
        max_fee: wei for a unit of gas that is never exceeded.
        spare_gas: of the estimate, in thousandths: the state may differ when it is included.
        patience: seconds between looks whether the node still has what it was given.
    """

    confirmations: int = 12
    bump_after: int = 60
    bump: int = 125
    max_fee: int = 500 * GWEI
    spare_gas: int = 250
    patience: int = 5


@dataclass(frozen=True, slots=True)
class Untried:
    """A call that is sent without being tried.

    Attributes:
        note: see `Sender.submit`.
    """

    call: Call
    gas: int
    note: Note | None


class Sender:
    """Sends from one account. Make it with `open`, which keeps other processes from it.

    Raises:
        ChainUnreachable: out of every method, the chain does not answer (`ChainTimeout`: in time);
            what was submitted is kept, and `advance` sends it.
        JournalUnavailable: out of every method, the database failed.
    """

    def __init__(self, chain: Chain, key: str, journal: Journal, policy: SendingPolicy) -> None:
        self._chain = chain
        self._account = open_account(key)
        self._policy = policy
        self._missed_at = -inf
        self._fees = -inf, 0, 0  # when they were asked for, and what they were
        self._inclusions = Inclusions(chain, journal, policy.confirmations)
        self.journal = journal

    @classmethod
    @contextmanager
    def open(
        cls,
        chain: Chain,
        key: str,
        database: Database,
        deployment: Deployment,
        policy: SendingPolicy,
    ) -> Iterator[Self]:
        """Send from the account of `key`, as the only process that does with this database.

        Raises:
            SenderBusy: another process does.
        """
        address = open_account(key).address
        journal = Journal(database, deployment.fingerprint, address)
        with sole_sender(database.engine, address):
            yield cls(chain, key, journal, policy)

    @property
    def address(self) -> str:
        return str(self._account.address)

    @property
    def confirmations(self) -> int:
        return self._policy.confirmations

    def submit(
        self,
        purpose: str,
        call: Call,
        note: Note | None = None,
        *,
        enough_gas: int | None = None,
    ) -> int:
        """Sign a call, keep it, and send it; returns its id in the journal.

        Args:
            purpose: a name for its kind.
            note: what else to write in the same database transaction, given the id.
            enough_gas: what such calls take at most, as a rule; it saves the node an estimate.

        Raises:
            ContractRefused: the contract would revert now; nothing is kept.
            SenderPoor: the account cannot pay; it is kept, and `advance` sends it.
        """
        gas = self._gas_of(call, enough_gas)
        first_nonce, fees = self._chain.nonce(self.address), self._usual_fees()
        sent = self._keep(purpose, Untried(call, gas, note), first_nonce, *fees)
        self._give(sent)
        return sent.id

    def submit_untried(self, purpose: str, calls: Sequence[Untried]) -> list[int]:
        """Sign calls that are not tried first, keep each, then send them together.

        Raises:
            SenderPoor: the account cannot pay; they are kept, and `advance` sends them.
        """
        # While some wait for a block, the last of them tells the next nonce: to ask the node would
        # be to wait for that block.
        waits = self.journal.count(SentState.SIGNED) > 0
        first_nonce, fees = 0 if waits else self._chain.nonce(self.address), self._usual_fees()
        kept = [self._keep(purpose, one, first_nonce, *fees) for one in calls]
        self._give_all(kept)
        return [sent.id for sent in kept]

    def _keep(self, purpose: str, one: Untried, first_nonce: int, max_fee: int, tip: int) -> Sent:
        def sign(nonce: int) -> Version:
            return self._sign(one.call, one.gas, nonce, max_fee, tip)

        return self.journal.add(purpose, one.call, one.gas, first_nonce, sign, one.note)

    def _gas_of(self, call: Call, enough: int | None) -> int:
        if enough is not None:
            try:
                self._chain.simulate(call, self.address, enough)
            except ChainUnreachable:
                raise
            except DistributionError:
                pass  # the estimate tells why, or that it takes more
            else:
                return enough
        estimate = self._chain.estimate_gas(call, self.address)
        return estimate * (1000 + self._policy.spare_gas) // 1000

    def advance(self) -> list[Sent]:
        """Look at the chain once: note what was included or undone, send again what was lost.

        Returns:
            What changed since the last look, as it is now.
        """
        found = self._inclusions.note_all()
        misses = monotonic() - self._missed_at >= self._policy.patience
        if misses:
            self._missed_at = monotonic()
        for sent in found.missing:
            is_lost = sent.given_at is None or sent.id in found.changed
            if (misses or is_lost) and self._send_or_give_up(sent, found.head):
                found.changed.add(sent.id)
        return [self.journal.get(identifier) for identifier in sorted(found.changed)]

    def _send_or_give_up(self, sent: Sent, head: int) -> bool:
        """What is in no block; returns whether that changed anything in the journal."""
        if self._chain.nonce(self.address) > sent.nonce:
            return self._settle_spent(sent, head)
        return self._send_again(sent)

    def _settle_spent(self, sent: Sent, head: int) -> bool:
        """Another transaction has the nonce; once that one is final, ours is given up."""
        settled = head - self._policy.confirmations + 1
        if settled < 0 or self._chain.nonce(self.address, settled) <= sent.nonce:
            return False
        _log.warning("displaced", transaction=sent.hash, nonce=sent.nonce)
        self.journal.mark_displaced(sent)
        return True

    def _send_again(self, sent: Sent) -> bool:
        newest = sent.versions[-1]
        if now() - newest.signed_at >= self._policy.bump_after and (dearer := self._dearer(newest)):
            version = self._sign(sent.call, sent.gas, sent.nonce, *dearer)
            self.journal.add_version(sent.id, version)
            _log.info("fee_raised", transaction=version.hash, nonce=sent.nonce)
            self._give(self.journal.get(sent.id))
            return True
        if not self._chain.knows(newest.hash):
            self._give(sent)
        return sent.given_at is None

    def _give(self, sent: Sent) -> None:
        """Send the newest version; a node that refuses it is asked again by the next `advance`."""
        try:
            self._chain.send_raw(sent.versions[-1].signed)
        except DistributionError as refused:
            self._note_refusal(sent, refused)
        else:
            self.journal.mark_given([sent])

    def _give_all(self, sent: Sequence[Sent]) -> None:
        """The same for many, in one request."""
        refusals = self._chain.send_all([one.versions[-1].signed for one in sent])
        answers = list(zip(sent, refusals, strict=True))
        self.journal.mark_given([one for one, refused in answers if refused is None])
        for one, refused in answers:
            if refused is not None:
                self._note_refusal(one, refused)

    def _note_refusal(self, sent: Sent, refused: DistributionError) -> None:
        if type(refused) is not DistributionError:
            raise refused
        _log.warning("not_taken", transaction=sent.hash, reason=str(refused))

    def _usual_fees(self) -> tuple[int, int]:
        """Enough for six full blocks in a row, each of which raises the base fee by an eighth."""
        asked_at, base, tip = self._fees
        if monotonic() - asked_at > FRESH:
            base, tip = self._chain.fees()
            self._fees = monotonic(), base, tip
        max_fee = min(2 * base + tip, self._policy.max_fee)
        return max_fee, min(tip, max_fee)

    def _dearer(self, version: Version) -> tuple[int, int] | None:
        """Fees that replace `version`; None where that would be more than is ever paid."""
        usual, usual_tip = self._usual_fees()
        more = 1000 + self._policy.bump
        max_fee = max(usual, -(-version.max_fee * more // 1000))
        tip = max(usual_tip, -(-version.tip * more // 1000))
        return (max_fee, min(tip, max_fee)) if max_fee <= self._policy.max_fee else None

    def _sign(self, call: Call, gas: int, nonce: int, max_fee: int, tip: int) -> Version:
        signed = self._account.sign_transaction(
            {
                "type": 2,
                "chainId": self._chain.chain_id,
                "nonce": nonce,
                "to": to_canonical_address(call.to),
                "value": 0,
                "data": call.data,
                "gas": gas,
                "maxFeePerGas": max_fee,
                "maxPriorityFeePerGas": tip,
            }
        )
        return Version(
            hash="0x" + bytes(signed.hash).hex(),
            max_fee=max_fee,
            tip=tip,
            signed=bytes(signed.raw_transaction),
            signed_at=now(),
        )


def ensure_funded(chain: Chain, key: str) -> None:
    """On a local chain, whose node holds accounts, give the key's account coins for gas.

    Raises:
        SenderMissing: it has none, and this is no local chain.
    """
    address = str(Account.from_key(key).address)
    if chain.balance(address) >= LOCAL_ALLOWANCE // 10:
        return
    if not chain.holds_accounts:
        if chain.balance(address) == 0:
            raise SenderMissing(f"nobody pays gas: send coins of the chain to {address}")
        return
    chain.fund_from_node(address, LOCAL_ALLOWANCE)
