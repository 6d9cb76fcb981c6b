"""The only file that speaks to a chain through web3."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, TypeVar, cast

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.address import (
    is_checksum_address,
    is_checksum_formatted_address,
    is_hex_address,
    to_checksum_address,
)
from eth_utils.crypto import keccak
from requests.exceptions import RequestException
from web3 import HTTPProvider, Web3
from web3.contract import Contract
from web3.contract.contract import ContractFunction
from web3.exceptions import ContractLogicError, Web3Exception, Web3RPCError
from web3.types import TxParams

from contracts.artifacts import ContractArtifact
from distribution.errors import (
    AddressInvalid,
    AlreadyClaimed,
    ChainUnreachable,
    ClaimsPaused,
    ContractRefused,
    DistributionError,
    EpochNotClaimable,
    PoolTooPoor,
    ProofRefused,
    SenderKeyInvalid,
    SenderMissing,
)

REQUEST_TIMEOUT = 30.0  # seconds
RECEIPT_TIMEOUT = 120.0  # seconds
RECURSION_LIMIT = 2000  # frames
_REVERTED = "execution reverted: "
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Receipt:
    """A transaction that was included and succeeded."""

    transaction_hash: str
    block: int
    gas_used: int
    contract_address: str | None


class Chain:
    """One JSON-RPC endpoint and, for transactions, who pays for them.

    With a `sender_key` transactions are signed here; without one the node's first own account
    sends them, which only local nodes have.
    """

    def __init__(self, web3: Web3, sender_key: str | None = None) -> None:
        self._web3 = web3
        self._account = _open_account(sender_key) if sender_key else None

    @classmethod
    def connect(cls, url: str, sender_key: str | None = None) -> Self:
        """Open the endpoint.

        Args:
            url: an http(s) JSON-RPC address.
            sender_key: 32-byte private key in hex of the account that pays gas.

        Raises:
            ChainUnreachable: no answer from `url`.
            SenderKeyInvalid: `sender_key` is not one.
        """
        # py_ecc, which web3 imports, raises the limit so far that deeply nested JSON from a node
        # would overflow the C stack and end the process.
        sys.setrecursionlimit(RECURSION_LIMIT)
        web3 = Web3(HTTPProvider(url, request_kwargs={"timeout": REQUEST_TIMEOUT}))
        if not web3.is_connected():
            raise ChainUnreachable(
                f"no chain answers at {url}: start one with `personhood chain`, "
                "or name another endpoint with PERSONHOOD_RPC_URL"
            )
        return cls(web3, sender_key)

    @cached_property
    def chain_id(self) -> int:
        return self._ask(lambda: self._web3.eth.chain_id)

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
        return int(self._ask(lambda: self._web3.eth.get_block("latest"))["timestamp"])

    def block_number(self) -> int:
        return int(self._ask(lambda: self._web3.eth.block_number))

    def balance(self, address: str) -> int:
        """What `address` holds of the chain's own coin, in its smallest unit."""
        checksummed = Web3.to_checksum_address(address)
        return int(self._ask(lambda: self._web3.eth.get_balance(checksummed)))

    def code_hash(self, address: str) -> str | None:
        """keccak256 of the code at `address` as 0x-hex; None where there is none."""
        checksummed = Web3.to_checksum_address(address)
        code = self._ask(lambda: self._web3.eth.get_code(checksummed))
        return "0x" + keccak(bytes(code)).hex() if code else None

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
        bound = self._function(artifact, address, function, arguments)
        return self._ask(bound.call)

    def transact(
        self, artifact: ContractArtifact, address: str, function: str, *arguments: Any
    ) -> Receipt:
        """Send a transaction and wait for its receipt.

        Raises:
            ContractRefused: the contract would revert (told before any gas is spent) or reverted.
        """
        return self._send(self._function(artifact, address, function, arguments).build_transaction)

    def events(
        self,
        artifact: ContractArtifact,
        address: str,
        event: str,
        from_block: int,
        where: dict[str, Any] | None = None,
        *,
        transaction: str | None = None,
    ) -> list[Mapping[str, Any]]:
        """The arguments of every `event` since `from_block`, oldest first.

        Args:
            where: values that indexed arguments must have.
            transaction: hash of the only one whose events are wanted.
        """
        kind = self._contract(artifact, address).events[event]
        logs = self._ask(
            lambda: list(kind().get_logs(argument_filters=where, from_block=from_block))
        )
        return [
            log["args"]
            for log in logs
            if transaction in {None, "0x" + bytes(log["transactionHash"]).hex()}
        ]

    def _contract(self, artifact: ContractArtifact, address: str) -> Contract:
        return self._web3.eth.contract(Web3.to_checksum_address(address), abi=artifact.abi)

    def _function(
        self, artifact: ContractArtifact, address: str, function: str, arguments: tuple[Any, ...]
    ) -> ContractFunction:
        bound = self._contract(artifact, address).functions[function](*arguments)
        if not isinstance(bound, ContractFunction):
            raise DistributionError(f"{artifact.name} has no function {function}")
        return bound

    def _send(self, build: Callable[[TxParams], TxParams]) -> Receipt:
        sender = Web3.to_checksum_address(self.sender)
        transaction = self._ask(lambda: build({"from": sender}))
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
            transaction_hash="0x" + bytes(digest).hex(),
            block=receipt["blockNumber"],
            gas_used=receipt["gasUsed"],
            contract_address=receipt["contractAddress"],
        )

    def _ask(self, request: Callable[[], _T]) -> _T:
        """Run `request`, with web3's errors as ours."""
        try:
            return request()
        except ContractLogicError as reverted:
            raise refusal(_reason(reverted)) from reverted
        except Web3RPCError as refused:
            raise DistributionError(f"the node refused the request: {refused}") from refused
        except (RequestException, OSError) as lost:
            raise ChainUnreachable(
                "the chain stopped answering: nothing is lost, try again when it is back"
            ) from lost
        except Web3Exception as fault:
            raise DistributionError(f"the node's answer could not be used: {fault}") from fault


def parse_address(text: str) -> str:
    """The checksum form of a 20-byte address.

    Raises:
        AddressInvalid: it is none, or its mixed case is not its checksum.
    """
    mistyped = is_checksum_formatted_address(text) and not is_checksum_address(text)
    if mistyped or not is_hex_address(text):
        raise AddressInvalid(
            f"{text} is not an address: give 0x and 40 hexadecimal digits, copied whole"
        )
    return str(to_checksum_address(text))


def _open_account(key: str) -> LocalAccount:
    try:
        account: LocalAccount = Account.from_key(key)
    except (ValueError, TypeError):
        # Not chained: the cause may quote the key.
        raise SenderKeyInvalid(
            "the key that pays gas is not 32 bytes in hex: check PERSONHOOD_SENDER_KEY"
        ) from None
    return account


def _reason(reverted: ContractLogicError) -> str:
    message = str(reverted.message or "no reason given")
    return message.removeprefix(_REVERTED)


_REFUSALS: dict[str, tuple[type[ContractRefused], str]] = {
    "distributor: already claimed": (
        AlreadyClaimed,
        "this wallet was paid for this epoch already: claim again in the next one",
    ),
    "distributor: invalid proof": (
        ProofRefused,
        "the proof does not hold for this epoch's root, recipient and fee",
    ),
    "distributor: epoch not claimable": (
        EpochNotClaimable,
        "this epoch has not begun, or its late window is over",
    ),
    "distributor: epoch never opened": (
        EpochNotClaimable,
        "nobody opened this epoch while it ran, so that it has no root to claim against",
    ),
    "distributor: registry has no members": (
        EpochNotClaimable,
        "the registry has no member yet: run `personhood publish` first",
    ),
    "distributor: paused": (
        ClaimsPaused,
        "claims are paused: no right is lost, the time to claim grows by the pause",
    ),
    "distributor: pool too low": (
        PoolTooPoor,
        "the pool cannot pay now: the right to claim stays, try again when it is funded",
    ),
}


def refusal(reason: str) -> ContractRefused:
    """The error for a contract's revert string."""
    kind, message = _REFUSALS.get(reason, (ContractRefused, f"the contract refused: {reason}"))
    return kind(message, reason)
