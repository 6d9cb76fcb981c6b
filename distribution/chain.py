"""Contracts on a chain: calls, transactions, events."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from web3 import Web3
from web3.types import BlockIdentifier, TxParams

from contracts.artifacts import ContractArtifact
from distribution.abi import Interface
from distribution.endpoint import Block, Endpoint, block_of
from distribution.errors import ChainUnreachable, DistributionError
from distribution.refusals import refusal
from distribution.rpc import from_hex, to_hex

RECEIPT_TIMEOUT = 120.0  # seconds
SLOT_GAS = 22_100  # a second later a slot may have to be written that needed no write before
LOG_RANGE = 10_000  # blocks in one request for events: public endpoints refuse more


@dataclass(frozen=True, slots=True)
class Receipt:
    """A transaction that was included and succeeded."""

    transaction_hash: str
    block: int
    gas_used: int
    contract_address: str | None


@dataclass(frozen=True, slots=True)
class Log:
    """An event, and the transaction and block that it is of."""

    arguments: Mapping[str, Any]
    transaction_hash: str
    block: int


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a contract, not yet a transaction."""

    to: str
    data: bytes = field(repr=False)


class Chain(Endpoint):
    """One JSON-RPC endpoint and, for transactions, who pays for them.

    With a `sender_key` transactions are signed here; without one the node's first own account
    sends them, which only local nodes have.
    """

    def deploy(self, artifact: ContractArtifact, *arguments: Any) -> str:
        """Deploy and return the contract's checksum address."""
        factory = self._web3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
        receipt = self._send(factory.constructor(*arguments).build_transaction)
        if receipt.contract_address is None:
            raise DistributionError(f"the node gave no address for {artifact.name}")
        return receipt.contract_address

    def call(self, artifact: ContractArtifact, address: str, function: str, *arguments: Any) -> Any:
        """Read a view.

        Raises:
            ContractRefused: the contract reverted.
        """
        interface = self._interface(artifact)
        answer = self._run({"to": address, "data": to_hex(interface.encode(function, arguments))})
        with self._made_sense():
            return interface.decode(function, arguments, answer)

    def call_each(
        self, artifact: ContractArtifact, address: str, function: str, asked: Sequence[Any]
    ) -> list[Any]:
        """Read a view of one argument or more for each of many, in one request.

        Args:
            asked: tuples of arguments; with none, nothing is asked.

        Raises:
            DistributionError: the node does not answer each.
        """
        return self.call_all(artifact, address, [(function, *arguments) for arguments in asked])

    def call_all(
        self, artifact: ContractArtifact, address: str, asked: Sequence[tuple[Any, ...]]
    ) -> list[Any]:
        """Read views in one request.

        Args:
            asked: names of views, each with its arguments.

        Raises:
            DistributionError: the node does not answer each.
        """
        interface = self._interface(artifact)
        answers = self._request_each(_views(interface, address, asked))
        with self._made_sense():
            return _read(interface, asked, answers)

    def call_at_head(
        self, artifact: ContractArtifact, address: str, asked: Sequence[tuple[Any, ...]]
    ) -> tuple[Block, list[Any]]:
        """The same, and the newest block, all in one request; the answers may be of the next."""
        interface = self._interface(artifact)
        head, *answers = self._request_each(
            [("eth_getBlockByNumber", ["latest", False]), *_views(interface, address, asked)]
        )
        with self._made_sense():
            return block_of(head), _read(interface, asked, answers)

    def transact(
        self, artifact: ContractArtifact, address: str, function: str, *arguments: Any
    ) -> Receipt:
        """Send a transaction and wait for its receipt.

        Raises:
            ContractRefused: the contract would revert (told before any gas is spent) or reverted.
        """
        contract = self._web3.eth.contract(Web3.to_checksum_address(address), abi=artifact.abi)
        return self._send(contract.functions[function](*arguments).build_transaction)

    def events(
        self,
        artifact: ContractArtifact,
        address: str,
        event: str,
        from_block: int,
        where: dict[str, Any] | None = None,
        *,
        to_block: int | None = None,
        transaction: str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[Mapping[str, Any]]:
        """The arguments of every `event` since `from_block`, oldest first.

        Args:
            where: values that indexed arguments must have.
            to_block: the last block that is looked at; the newest when None.
            transaction: hash of the only one whose events are wanted.
            progress: told, after each request, how many blocks of how many were looked at.
        """
        logs = self.logs(
            artifact, address, event, from_block, where, to_block=to_block, progress=progress
        )
        return [log.arguments for log in logs if transaction in {None, log.transaction_hash}]

    def logs(
        self,
        artifact: ContractArtifact,
        address: str,
        event: str,
        from_block: int,
        where: dict[str, Any] | None = None,
        *,
        to_block: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[Log]:
        """Every `event`, and where it stands; see `events`."""
        interface = self._interface(artifact)
        last = self.block_number() if to_block is None else to_block
        wanted = {"address": address, "topics": interface.topics(event, where or {})}
        found: list[Log] = []
        for first in range(from_block, last + 1, LOG_RANGE):
            until = min(first + LOG_RANGE - 1, last)
            span = {"fromBlock": hex(first), "toBlock": hex(until)}
            logs = self._request("eth_getLogs", wanted | span)
            with self._made_sense():
                found += [
                    Log(
                        interface.read(event, log),
                        log["transactionHash"],
                        int(log["blockNumber"], 16),
                    )
                    for log in logs
                ]
            if progress is not None:
                progress(until - from_block + 1, last - from_block + 1)
        return found

    def encode(
        self, artifact: ContractArtifact, address: str, function: str, *arguments: Any
    ) -> Call:
        """A call as the bytes that a transaction carries."""
        return Call(address, self._interface(artifact).encode(function, arguments))

    def estimate_gas(self, call: Call, sender: str) -> int:
        """Gas that the call takes now; a node finds it by running the call some twenty times.

        Raises:
            ContractRefused: the contract would revert.
        """
        transaction = cast(TxParams, {"from": sender, "to": call.to, "data": call.data})
        return int(self._ask(lambda: self._web3.eth.estimate_gas(transaction)))

    def simulate(self, call: Call, sender: str, gas: int, at_block: int | None = None) -> None:
        """Run the call once with so much gas, and change nothing.

        Args:
            at_block: after which block; the newest when None.

        Raises:
            DistributionError: the contract would revert, or take more.
        """
        run = {"from": sender, "to": call.to, "data": to_hex(call.data), "gas": hex(gas)}
        self._run(run, "latest" if at_block is None else hex(at_block))

    def _run(self, transaction: dict[str, str], block: str = "latest") -> bytes:
        """Run it, change nothing, and return what it returns."""
        try:
            answer = self._request("eth_call", transaction, block)
        except ChainUnreachable:
            raise
        except DistributionError:  # asked once more: web3 reads why the contract refuses
            sending = cast(TxParams, transaction)
            at = cast(BlockIdentifier, block)
            return bytes(self._ask(lambda: self._web3.eth.call(sending, at)))
        with self._made_sense():
            return from_hex(answer)

    def fund_from_node(self, address: str, amount: int) -> None:
        """Send coins from the node's own account, which only local nodes have.

        Raises:
            SenderMissing: the node holds no account.
        """
        payment = {"from": self.sender, "to": address, "value": amount}
        self._send(lambda own: cast(TxParams, {**own, **payment}))

    def _interface(self, artifact: ContractArtifact) -> Interface:
        known = self._interfaces.get(artifact.name)
        if known is None:
            known = self._interfaces[artifact.name] = Interface(artifact.abi)
        return known

    @cached_property
    def _interfaces(self) -> dict[str, Interface]:
        return {}

    def _send(self, build: Callable[[TxParams], TxParams]) -> Receipt:
        sender = Web3.to_checksum_address(self.sender)
        transaction = self._ask(lambda: build({"from": sender}))
        if (estimate := transaction.get("gas")) is not None:
            transaction["gas"] = estimate * 5 // 4 + SLOT_GAS
        if self._account is None:
            digest = self._ask(lambda: self._web3.eth.send_transaction(transaction))
        else:
            nonce = self._ask(lambda: self._web3.eth.get_transaction_count(sender, "pending"))
            transaction["nonce"] = nonce
            signed = self._account.sign_transaction(cast(dict[str, Any], transaction))
            digest = self._ask(lambda: self._web3.eth.send_raw_transaction(signed.raw_transaction))
        receipt = self._ask(
            lambda: self._web3.eth.wait_for_transaction_receipt(
                digest, timeout=RECEIPT_TIMEOUT, poll_latency=0.02
            )
        )
        if receipt["status"] != 1:
            raise refusal("the transaction was included and reverted")
        return Receipt(
            transaction_hash=to_hex(digest),
            block=receipt["blockNumber"],
            gas_used=receipt["gasUsed"],
            contract_address=receipt["contractAddress"],
        )


def _views(
    interface: Interface, address: str, asked: Sequence[tuple[Any, ...]]
) -> list[tuple[str, Any]]:
    """The requests for views."""
    encoded = [interface.encode(function, rest) for function, *rest in asked]
    return [("eth_call", [{"to": address, "data": to_hex(data)}, "latest"]) for data in encoded]


def _read(
    interface: Interface, asked: Sequence[tuple[Any, ...]], answers: Sequence[Any]
) -> list[Any]:
    """What they answered."""
    return [
        interface.decode(function, rest, from_hex(answer))
        for (function, *rest), answer in zip(asked, answers, strict=True)
    ]
