"""An Ethereum chain in this process: deploy, call, transact, read events, travel in time."""

import re
from dataclasses import dataclass
from typing import Any

import pytest
from eth_abi.abi import decode, encode
from eth_utils.abi import (
    event_abi_to_log_topic,
    filter_abi_by_name,
    function_abi_to_4byte_selector,
    get_abi_input_types,
    get_abi_output_types,
)
from pyrevm import EVM, BlockEnv, CfgEnv, Env, Log

# Those of py-evm's first account, so that the gas tests' node has the same addresses.
CHAIN_ID = 131277322940537
DEPLOYER_KEY = "0x" + "00" * 31 + "01"
DEPLOYER = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"
Abi = list[Any]  # the JSON form, entry by entry
ERROR_STRING = bytes.fromhex("08c379a0")  # selector of Error(string)


class RevertedError(Exception):
    """A transaction was refused; the message is the contract's reason, or empty."""


def refused(reason: str) -> pytest.RaisesExc[RevertedError]:
    """Expect exactly this reason."""
    return pytest.raises(RevertedError, match=f"^{re.escape(reason)}$")


@dataclass(frozen=True)
class Event:
    name: str
    args: dict[str, Any]


@dataclass(frozen=True)
class Receipt:
    returned: Any
    events: list[Event]


class Chain:
    """One EVM. Deployments from `DEPLOYER` get the same addresses on every new chain."""

    def __init__(self, *, chain_id: int = CHAIN_ID, now: int = 0) -> None:
        self.chain_id = chain_id
        self.evm = EVM(spec_id="CANCUN", env=Env(cfg=CfgEnv(chain_id=chain_id)))
        self.now = now

    @property
    def now(self) -> int:
        """The timestamp of the block being built, in seconds since 1970."""
        return self._now

    @now.setter
    def now(self, timestamp: int) -> None:
        self._now = timestamp
        self.evm.set_block_env(BlockEnv(timestamp=timestamp))

    def deploy(self, abi: Abi, bytecode: str, *args: Any) -> "Contract":
        try:
            address = self.evm.deploy(DEPLOYER, creation_code(abi, bytecode, *args))
        except RuntimeError as error:
            raise RevertedError(_reason(str(error))) from None
        return Contract(self, address.lower(), abi)

    def message_call(
        self, sender: str, to: str, data: bytes, *, is_static: bool, value: int = 0
    ) -> tuple[bytes, list[Log]]:
        """Return what the call answered and what it logged."""
        self.evm.reset_transient_storage()  # as between transactions
        try:
            answer = self.evm.message_call(sender, to, data, value=value, is_static=is_static)
        except RuntimeError as error:
            raise RevertedError(_reason(str(error))) from None
        result = self.evm.result
        return bytes(answer), result.logs if result else []


@dataclass(frozen=True)
class Contract:
    chain: Chain
    address: str
    abi: Abi

    def call(self, function: str, *args: Any) -> Any:
        """Read: nothing is kept."""
        data = calldata(self.abi, function, *args)
        answer, _ = self.chain.message_call(DEPLOYER, self.address, data, is_static=True)
        return self._decode_answer(function, answer)

    def transact(
        self, function: str, *args: Any, sender: str = DEPLOYER, value: int = 0
    ) -> Receipt:
        """Write, or raise `RevertedError`."""
        data = calldata(self.abi, function, *args)
        answer, logs = self.chain.message_call(
            sender, self.address, data, is_static=False, value=value
        )
        events = [self._event(*log.data) for log in logs if log.address.lower() == self.address]
        return Receipt(self._decode_answer(function, answer), events)

    def _decode_answer(self, function: str, answer: bytes) -> Any:
        values = decode(get_abi_output_types(_entry(self.abi, function)), answer)
        return values[0] if len(values) == 1 else values

    def _event(self, topics: list[bytes], data: bytes) -> Event:
        (entry,) = (
            e for e in self.abi if e["type"] == "event" and event_abi_to_log_topic(e) == topics[0]
        )
        indexed = [i for i in entry["inputs"] if i["indexed"]]
        plain = [i for i in entry["inputs"] if not i["indexed"]]
        args = {
            i["name"]: decode([i["type"]], topic)[0]
            for i, topic in zip(indexed, topics[1:], strict=True)
        }
        values = decode([i["type"] for i in plain], data)
        return Event(
            entry["name"], args | dict(zip((i["name"] for i in plain), values, strict=True))
        )


def creation_code(abi: Abi, bytecode: str, *args: Any) -> bytes:
    """What a transaction carries to deploy a contract."""
    constructors = [entry for entry in abi if entry["type"] == "constructor"]
    types = get_abi_input_types(constructors[0]) if constructors else []
    return bytes.fromhex(bytecode.removeprefix("0x")) + encode(types, args)


def calldata(abi: Abi, function: str, *args: Any) -> bytes:
    """What a transaction carries to call a contract."""
    entry = _entry(abi, function)
    return function_abi_to_4byte_selector(entry) + encode(get_abi_input_types(entry), args)


def _entry(abi: Abi, function: str) -> Any:
    (entry,) = filter_abi_by_name(function, abi)
    return entry


def _reason(error: str) -> str:
    match = re.search(r"output: 0x([0-9a-f]*)", error)
    if match is None:
        raise RuntimeError(f"the EVM halted: {error}")
    output = bytes.fromhex(match[1])
    return str(decode(["string"], output[4:])[0]) if output.startswith(ERROR_STRING) else ""
