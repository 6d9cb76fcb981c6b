"""Calls and events of a contract as bytes, by its ABI (Solidity's contract ABI specification).

web3's own contracts look up, check and format every value anew, 9 ms of CPU a call; here a
function's types are looked up once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.codec import ABICodec
from eth_abi.decoding import AddressDecoder
from eth_abi.encoding import AddressEncoder
from eth_abi.registry import ABIRegistry, registry

from distribution.addresses import checksum_address
from distribution.hashing import WORD, keccak


class _ChecksumAddressDecoder(AddressDecoder):
    decoder_fn = staticmethod(checksum_address)  # type: ignore[assignment]


def _codec() -> ABICodec:
    own: ABIRegistry = registry.copy()  # type: ignore[no-untyped-call]
    own.unregister("address")
    own.register("address", AddressEncoder, _ChecksumAddressDecoder, label="address")
    return ABICodec(own)


_CODEC = _codec()
_TOPIC_LENGTH = 66  # of 32 bytes as 0x-hex


@dataclass(frozen=True, slots=True)
class _Function:
    selector: bytes
    inputs: list[str]
    outputs: list[str]


@dataclass(frozen=True, slots=True)
class _Event:
    """`indexed` and `data` are names and types, in their order."""

    topic: str
    indexed: dict[str, str]
    data: dict[str, str]


class Interface:
    """A contract's functions and events.

    Addresses are read as checksum addresses, tuples as tuples, arrays as tuples, bytes as bytes.
    """

    def __init__(self, abi: Sequence[Mapping[str, Any]]) -> None:
        self._functions = {
            (one["name"], len(one["inputs"])): _function(one)
            for one in abi
            if one["type"] == "function"
        }
        self._events = {one["name"]: _event(one) for one in abi if one["type"] == "event"}

    def encode(self, function: str, arguments: Sequence[Any]) -> bytes:
        """What a transaction or a call carries.

        Raises:
            KeyError: there is no function of this name with so many arguments.
            EncodingError: the arguments do not fit its types.
        """
        known = self._functions[function, len(arguments)]
        return known.selector + _CODEC.encode(known.inputs, arguments)

    def decode(self, function: str, arguments: Sequence[Any], answer: bytes) -> Any:
        """What a view answered: a value where it has one, else a tuple of them.

        Raises:
            DecodingError: it is no such answer.
        """
        outputs = self._functions[function, len(arguments)].outputs
        if outputs == ["uint256"] and len(answer) == WORD:
            return int.from_bytes(answer)
        values = _CODEC.decode(outputs, answer)
        return values[0] if len(values) == 1 else values

    def topics(self, event: str, where: Mapping[str, Any]) -> list[str | list[str] | None]:
        """The filter of `eth_getLogs` for events whose indexed arguments have these values.

        Args:
            where: by argument, a value or a list of the values that will do.
        """
        known = self._events[event]
        topics: list[str | list[str] | None] = [known.topic]
        for name, kind in known.indexed.items():
            wanted = where.get(name)
            if isinstance(wanted, list):
                topics.append([_topic(kind, value) for value in wanted])
            else:
                topics.append(None if wanted is None else _topic(kind, wanted))
        return topics

    def read(self, event: str, log: Mapping[str, Any]) -> dict[str, Any]:
        """An event's arguments, from a log as JSON-RPC has it.

        Raises:
            KeyError, ValueError, TypeError, DecodingError: it is no such log.
        """
        known = self._events[event]
        indexed = {
            name: _indexed(kind, topic)
            for (name, kind), topic in zip(known.indexed.items(), log["topics"][1:], strict=True)
        }
        return indexed | dict(zip(known.data, _data(known.data, _bytes(log["data"])), strict=True))


def _function(described: Mapping[str, Any]) -> _Function:
    inputs, outputs = ([_type(one) for one in described[way]] for way in ("inputs", "outputs"))
    return _Function(keccak(_signature(described["name"], inputs))[:4], inputs, outputs)


def _event(described: Mapping[str, Any]) -> _Event:
    types = {one["name"]: _type(one) for one in described["inputs"]}
    is_indexed = {one["name"]: one["indexed"] for one in described["inputs"]}
    return _Event(
        topic="0x" + keccak(_signature(described["name"], types.values())).hex(),
        indexed={name: kind for name, kind in types.items() if is_indexed[name]},
        data={name: kind for name, kind in types.items() if not is_indexed[name]},
    )


def _signature(name: str, types: Iterable[str]) -> bytes:
    return f"{name}({','.join(types)})".encode()


def _type(described: Mapping[str, Any]) -> str:
    """A type as in a signature: of a tuple, those of its components."""
    kind: str = described["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(map(_type, described['components']))}){kind.removeprefix('tuple')}"


def _indexed(kind: str, topic: str) -> Any:
    if len(topic) != _TOPIC_LENGTH:
        raise ValueError("a topic has 32 bytes")
    number = int(topic, 16)
    if kind == "uint256":
        return number
    if kind == "address" and number >> 160 == 0:
        return checksum_address(number.to_bytes(20))
    return _CODEC.decode([kind], number.to_bytes(32))[0]


def _data(types: Mapping[str, str], data: bytes) -> Sequence[Any]:
    """What is not indexed; numbers alone, as in most events, in a hundredth of the codec's time."""
    if set(types.values()) == {"uint256"} and len(data) == WORD * len(types):
        return [int.from_bytes(data[at : at + WORD]) for at in range(0, len(data), WORD)]
    return _CODEC.decode(list(types.values()), data)


def _topic(kind: str, value: Any) -> str:
    if kind == "uint256" and type(value) is int and 0 <= value < 1 << 256:
        return f"0x{value:064x}"
    return "0x" + _CODEC.encode([kind], [value]).hex()


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
