"""What a party is asked over the network: one message for each method of `PartyLike`, in JSON.

A message is its operation: what it holds, who may send it, how long it may be, and how it is put to
a party. `party_api` takes them, `remote_party` sends them. Bytes are in URL-safe Base64.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Final, Self

from pydantic import BaseModel, ConfigDict, Field

from uniqueness.private.protocol import MAX_ROWS, Commit, PartyLike, Piece
from uniqueness.private.resharing import PIECE_NUMBERS
from uniqueness.private.sealed_shares import OVERHEAD
from uniqueness.private.shares import PARTIES, RING_BYTES

COORDINATOR: Final = PARTIES  # as a caller; parties are called by their indexes
_SMALL: Final = 256 * 1024  # bytes
_HEADING: Final = 1024  # bytes that an entry takes in a piece's heading, at most


class _Wire(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, ser_json_bytes="base64", val_json_bytes="base64"
    )


class Message(_Wire):
    """One operation. By itself only the coordinator may ask for it."""

    operation: ClassVar[str]
    seconds: ClassVar[float] = 60.0  # that an answer may take

    @classmethod
    def longest(cls, dimension: int) -> int:  # noqa: ARG003 - of those that carry shares
        """Bytes of the longest that makes sense."""
        return _SMALL

    def may_be_sent(self, caller: int, party: int) -> bool:  # noqa: ARG002
        """Whether a caller may ask this of a party."""
        return caller == COORDINATOR

    @abstractmethod
    def put_to(self, party: PartyLike) -> Any:
        """Have it done; returns what becomes JSON."""


class AskStatus(Message):
    """A party's own operator may ask, too."""

    operation = "status"

    def may_be_sent(self, caller: int, party: int) -> bool:
        return caller in (COORDINATOR, party)

    def put_to(self, party: PartyLike) -> Any:
        return party.status()


class OpenSession(Message):
    operation = "open-session"
    seconds = 1800.0  # a large gallery takes a while
    session: str

    def put_to(self, party: PartyLike) -> Any:
        party.open_session(self.session)


class CloseSession(Message):
    operation = "close-session"
    session: str

    def put_to(self, party: PartyLike) -> Any:
        party.close_session(self.session)


class Prepare(Message):
    operation = "prepare"
    batch: str
    sealed: tuple[bytes, ...] = Field(repr=False)

    @classmethod
    def longest(cls, dimension: int) -> int:
        return _SMALL + _encoded(MAX_ROWS * (OVERHEAD + 2 * RING_BYTES * dimension))

    def put_to(self, party: PartyLike) -> Any:
        digests = party.prepare(self.batch, self.sealed)
        return [[row.first.hex(), row.second.hex()] for row in digests]


class Step(Message):
    """A numbered step of a session."""

    seconds = 600.0
    session: str
    step: int


class LoadProbes(Step):
    operation = "load-probes"
    batch: str

    def put_to(self, party: PartyLike) -> Any:
        party.load_probes(self.session, self.step, self.batch)


class LoadSample(Step):
    operation = "load-sample"

    def put_to(self, party: PartyLike) -> Any:
        party.load_sample(self.session, self.step)


class Reached(Step):
    operation = "reached"
    least: int

    def put_to(self, party: PartyLike) -> Any:
        return party.reached(self.session, self.step, self.least).tolist()


class Among(Step):
    operation = "among"
    least: int

    def put_to(self, party: PartyLike) -> Any:
        return party.among(self.session, self.step, self.least).tolist()


class Reaching(Step):
    operation = "reaching"
    least: int
    rows: tuple[int, ...]

    def put_to(self, party: PartyLike) -> Any:
        return party.reaching(self.session, self.step, self.least, self.rows)


class Nearest(Step):
    operation = "nearest"
    row: int
    sequences: tuple[int, ...]

    def put_to(self, party: PartyLike) -> Any:
        return party.nearest(self.session, self.step, self.row, self.sequences)


class Histogram(Step):
    operation = "histogram"
    edges: tuple[int, ...]

    def put_to(self, party: PartyLike) -> Any:
        return party.histogram(self.session, self.step, self.edges).tolist()


class CommitBatch(Message):
    operation = "commit"
    seconds = 600.0  # an open session takes it, too
    commit: Commit

    def put_to(self, party: PartyLike) -> Any:
        party.commit(self.commit)


class Discard(Message):
    operation = "discard"
    batch: str

    def put_to(self, party: PartyLike) -> Any:
        party.discard(self.batch)


class PieceMessage(_Wire):
    """A `Piece`, which two of the operations carry."""

    sender: int
    recipient: int
    after: int
    until: int
    sealed: bytes = Field(repr=False)
    signature: bytes = Field(repr=False)

    @classmethod
    def of(cls, piece: Piece) -> Self:
        return cls(
            sender=piece.sender,
            recipient=piece.recipient,
            after=piece.after,
            until=piece.until,
            sealed=piece.sealed,
            signature=piece.signature,
        )

    def piece(self) -> Piece:
        bounds = self.sender, self.recipient, self.after, self.until
        return Piece(*bounds, self.sealed, self.signature)


class HandOver(Message):
    """Also the party that gets it may ask."""

    operation = "hand-over"
    recipient: int
    after: int
    until: int

    def may_be_sent(self, caller: int, party: int) -> bool:
        return caller in (COORDINATOR, self.recipient) and caller != party

    def put_to(self, party: PartyLike) -> Any:
        return PieceMessage.of(party.hand_over(self.recipient, self.after, self.until))


class TakeOver(Message):
    """Also the party's own operator may ask."""

    operation = "take-over"
    pieces: tuple[PieceMessage, ...] = Field(repr=False)

    @classmethod
    def longest(cls, dimension: int) -> int:
        piece = PIECE_NUMBERS * (_HEADING + RING_BYTES * dimension)
        return _SMALL + (PARTIES - 1) * _encoded(piece)

    def may_be_sent(self, caller: int, party: int) -> bool:
        return caller in (COORDINATOR, party)

    def put_to(self, party: PartyLike) -> Any:
        party.take_over([message.piece() for message in self.pieces])


OPERATIONS: Final[dict[str, type[Message]]] = {
    message.operation: message
    for message in (
        AskStatus,
        OpenSession,
        CloseSession,
        Prepare,
        LoadProbes,
        LoadSample,
        Reached,
        Among,
        Reaching,
        Nearest,
        Histogram,
        CommitBatch,
        Discard,
        HandOver,
        TakeOver,
    )
}


def pieces_message(pieces: Sequence[Piece]) -> TakeOver:
    """The message that carries pieces."""
    return TakeOver(pieces=tuple(PieceMessage.of(piece) for piece in pieces))


def _encoded(size: int) -> int:
    """Characters of so many bytes in Base64."""
    return 4 * (size // 3 + 1)
