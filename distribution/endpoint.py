"""One chain's blocks, accounts and signed transactions, by an endpoint of it."""

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak
from web3 import Web3

from distribution.errors import (
    ChainTimeout,
    ChainUnreachable,
    DistributionError,
    SenderKeyInvalid,
    SenderMissing,
    SenderPoor,
)
from distribution.rpc import JsonRpc, open_web3, to_hex

REQUEST_TIMEOUT = 60.0  # seconds; the embedded node takes tens of them on a busy machine
RECURSION_LIMIT = 2000  # frames
# What nodes say of a transaction that they have, or have included already.
_KNOWN_ALREADY = ("already known", "already imported", "known transaction", "nonce too low")


@dataclass(frozen=True, slots=True)
class Inclusion:
    """Where a transaction stands in the chain.

    Attributes:
        succeeded: false where it was included and reverted.
    """

    block: int
    block_hash: str
    succeeded: bool
    gas_used: int


@dataclass(frozen=True, slots=True)
class Block:
    """What is told here of a block.

    Attributes:
        timestamp: seconds since 1970.
        base_fee: wei for a unit of gas; 0 where there is none.
    """

    number: int
    timestamp: int
    base_fee: int


def block_of(told: Mapping[str, Any]) -> Block:
    """A block as JSON-RPC has it."""
    return Block(
        number=int(told["number"], 16),
        timestamp=int(told["timestamp"], 16),
        base_fee=int(told.get("baseFeePerGas", "0x0"), 16),
    )


class Endpoint(JsonRpc):
    """Blocks, accounts and signed transactions of one chain; `Chain` adds contracts.

    With a `sender_key` transactions are signed here; without one the node's first own account
    sends them, which only local nodes have.
    """

    def __init__(self, web3: Web3, sender_key: str | None = None) -> None:
        super().__init__(web3)
        self._account = open_account(sender_key) if sender_key else None

    @classmethod
    def connect(
        cls, url: str, sender_key: str | None = None, *, timeout: float = REQUEST_TIMEOUT
    ) -> Self:
        """Open the endpoint.

        Args:
            url: an http(s) JSON-RPC address.
            sender_key: 32-byte private key in hex of the account that pays gas.
            timeout: seconds that the node has for an answer.

        Raises:
            ChainUnreachable: no answer from `url`.
            ChainTimeout: `url` takes the request and does not answer.
            SenderKeyInvalid: `sender_key` is not one.
        """
        # py_ecc, which web3 imports, raises the limit so far that deeply nested JSON from a node
        # would overflow the C stack and end the process.
        sys.setrecursionlimit(RECURSION_LIMIT)
        endpoint = cls(open_web3(url, timeout), sender_key)
        try:
            endpoint.chain_id  # noqa: B018 - asked now, to tell a wrong address at once
        except ChainTimeout:
            raise
        except ChainUnreachable as silent:
            raise ChainUnreachable(
                f"no chain answers at {url}: start one with `personhood chain`, "
                "or name another endpoint with PERSONHOOD_RPC_URL"
            ) from silent
        return endpoint

    @cached_property
    def chain_id(self) -> int:
        return self._ask(lambda: self._web3.eth.chain_id)

    @cached_property
    def holds_accounts(self) -> bool:
        """Whether the node signs for accounts of its own, as local ones do."""
        return bool(self._ask(lambda: self._web3.eth.accounts))

    @cached_property
    def sender(self) -> str:
        """The address that pays gas.

        Raises:
            SenderMissing: no key was given and the node holds no account.
        """
        if self._account is not None:
            return self._account.address
        accounts = self._ask(lambda: self._web3.eth.accounts)
        if not accounts:
            raise SenderMissing(
                "this endpoint holds no account: set PERSONHOOD_SENDER_KEY to the key that pays gas"
            )
        return str(accounts[0])

    def now(self) -> int:
        """The newest block's timestamp, seconds since 1970."""
        return self._block("latest").timestamp

    def block_number(self) -> int:
        return self._quantity("eth_blockNumber")

    def block_hash(self, number: int) -> str | None:
        """Hash of the block with this number as 0x-hex; None where the chain is shorter."""
        return self.block_hashes([number])[1][number]

    def block_hashes(self, numbers: Collection[int]) -> tuple[int, dict[int, str | None]]:
        """The newest block's number, and such hashes by number, in one request."""
        requests: list[tuple[str, Any]] = [("eth_blockNumber", [])]
        requests += [("eth_getBlockByNumber", [hex(number), False]) for number in numbers]
        head, *blocks = self._request_each(requests)
        with self._made_sense():
            hashes = [None if block is None else str(block["hash"]) for block in blocks]
            return int(head, 16), dict(zip(numbers, hashes, strict=True))

    def block_time(self) -> float:
        """Seconds between the latest blocks, on average over at most 20."""
        newest = self._block("latest")
        span = min(20, newest.number)
        if span == 0:
            return 0.0
        before = self._block(hex(newest.number - span))
        return (newest.timestamp - before.timestamp) / span

    def balance(self, address: str) -> int:
        """What `address` holds of the chain's own coin, in its smallest unit."""
        checksummed = Web3.to_checksum_address(address)
        return int(self._ask(lambda: self._web3.eth.get_balance(checksummed)))

    def code_hash(self, address: str) -> str | None:
        """keccak256 of the code at `address` as 0x-hex; None where there is none."""
        checksummed = Web3.to_checksum_address(address)
        code = self._ask(lambda: self._web3.eth.get_code(checksummed))
        return "0x" + keccak(bytes(code)).hex() if code else None

    def fees(self) -> tuple[int, int]:
        """Base fee of the newest block and a usual tip, in wei for a unit of gas."""
        tip = self._ask(lambda: self._web3.eth.max_priority_fee)
        return self._block("latest").base_fee, int(tip)

    def nonce(self, address: str, at_block: int | None = None) -> int:
        """How many transactions of `address` are included, up to a block or to the newest."""
        block = "latest" if at_block is None else hex(at_block)
        return self._quantity("eth_getTransactionCount", address, block)

    def send_raw(self, signed: bytes) -> None:
        """Hand a signed transaction to the node; no fault if the node knows it already.

        Raises:
            SenderPoor: its account cannot pay for it.
            DistributionError: the node refuses it.
        """
        try:
            self._request("eth_sendRawTransaction", to_hex(signed))
        except ChainUnreachable:
            raise
        except DistributionError as answer:
            if (refused := _refused(answer)) is not None:
                raise refused from answer

    def send_all(self, signed: Sequence[bytes]) -> list[DistributionError | None]:
        """Hand signed transactions to the node, in one request.

        Returns:
            For each None, or why the node does not take it; see `send_raw`.
        """
        requests = [("eth_sendRawTransaction", [to_hex(one)]) for one in signed]
        return [
            _refused(answer) if isinstance(answer, DistributionError) else None
            for answer in self._attempt_each(requests)
        ]

    def knows(self, transaction_hash: str) -> bool:
        """Whether the node has the transaction, included or waiting."""
        return self._request("eth_getTransactionByHash", transaction_hash) is not None

    def inclusion(self, transaction_hash: str) -> Inclusion | None:
        """Where a transaction was included; None while it is not."""
        return self.inclusions([transaction_hash])[transaction_hash]

    def inclusions(self, transaction_hashes: Sequence[str]) -> dict[str, Inclusion | None]:
        """The same for many, in one request."""
        receipts = self._request_each(
            [("eth_getTransactionReceipt", [digest]) for digest in transaction_hashes]
        )
        with self._made_sense():
            return dict(zip(transaction_hashes, map(_inclusion, receipts), strict=True))

    def _quantity(self, method: str, *parameters: str) -> int:
        answer = self._request(method, *parameters)
        with self._made_sense():
            return int(answer, 16)

    def _block(self, which: str) -> Block:
        block = self._request("eth_getBlockByNumber", which, False)
        with self._made_sense():
            return block_of(block)


def _inclusion(receipt: Mapping[str, Any] | None) -> Inclusion | None:
    if receipt is None or receipt["blockNumber"] is None:
        return None
    return Inclusion(
        block=int(receipt["blockNumber"], 16),
        block_hash=receipt["blockHash"],
        succeeded=int(receipt["status"], 16) == 1,
        gas_used=int(receipt["gasUsed"], 16),
    )


def _refused(answer: DistributionError) -> DistributionError | None:
    """Why a node does not take a transaction; None where it has it."""
    reason = str(answer).lower()
    if "insufficient funds" in reason:
        return SenderPoor(
            "the account that pays gas has too little: send it coins of the chain; what was signed "
            "is kept and sent again"
        )
    return None if any(known in reason for known in _KNOWN_ALREADY) else answer


def open_account(key: str) -> LocalAccount:
    """The account of a private key.

    Raises:
        SenderKeyInvalid: it is none; the message does not quote it.
    """
    try:
        account: LocalAccount = Account.from_key(key)
    except (ValueError, TypeError):
        # Not chained: the cause may quote the key.
        raise SenderKeyInvalid(
            "the key that pays gas is not 32 bytes in hex: check PERSONHOOD_SENDER_KEY"
        ) from None
    return account
