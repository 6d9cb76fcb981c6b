"""A party far away, asked as if it were here."""

import socket
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import httpx
import numpy as np
from pydantic import TypeAdapter, ValidationError

from uniqueness.errors import PartyUnavailable, PrivateMatchingError
from uniqueness.private import messages
from uniqueness.private.messages import Message, PieceMessage
from uniqueness.private.protocol import (
    BoolArray,
    Commit,
    ComponentDigests,
    CountArray,
    PartyStatus,
    Piece,
)
from uniqueness.private.trust import PartyCard, TlsIdentity

_CONNECT: Final = 5.0  # seconds
# A host that vanished without a word is noticed in 15 seconds, however long a step may take.
_KEEP_ALIVE: Final = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 2),
]
_NOTHING: Final = TypeAdapter(None)
_STATUS: Final = TypeAdapter(PartyStatus)
_DIGESTS: Final = TypeAdapter(list[tuple[str, str]])
_BITS: Final = TypeAdapter(list[bool])
_ROWS_OF_BITS: Final = TypeAdapter(list[list[bool]])
_SEQUENCES: Final = TypeAdapter(tuple[tuple[int, ...], ...])
_NUMBER: Final = TypeAdapter(int)
_NUMBERS: Final = TypeAdapter(list[int])
_PIECE: Final = TypeAdapter(PieceMessage)

T = TypeVar("T")


class RemoteParty:
    """One party by its card. See `PartyLike` for what each method does.

    Args:
        card: of the circle; its certificate, and no other, is taken.
        identity: with which to show who asks.
    """

    def __init__(self, card: PartyCard, identity: TlsIdentity) -> None:
        self._card = card
        context = identity.client_context(card.certificate)
        transport = httpx.HTTPTransport(verify=context, socket_options=_KEEP_ALIVE)
        self._client = httpx.Client(base_url=card.url, transport=transport, trust_env=False)

    @property
    def index(self) -> int:
        return self._card.index

    def status(self) -> PartyStatus:
        return self._ask(messages.AskStatus(), _STATUS)

    def open_session(self, session: str) -> None:
        self._ask(messages.OpenSession(session=session), _NOTHING)

    def close_session(self, session: str) -> None:
        self._ask(messages.CloseSession(session=session), _NOTHING)

    def prepare(self, batch: str, sealed: Sequence[bytes]) -> tuple[ComponentDigests, ...]:
        told = self._ask(messages.Prepare(batch=batch, sealed=tuple(sealed)), _DIGESTS)
        return tuple(ComponentDigests(bytes.fromhex(a), bytes.fromhex(b)) for a, b in told)

    def load_probes(self, session: str, step: int, batch: str) -> None:
        self._ask(messages.LoadProbes(session=session, step=step, batch=batch), _NOTHING)

    def load_sample(self, session: str, step: int) -> None:
        self._ask(messages.LoadSample(session=session, step=step), _NOTHING)

    def reached(self, session: str, step: int, least: int) -> BoolArray:
        message = messages.Reached(session=session, step=step, least=least)
        return np.array(self._ask(message, _BITS), bool)

    def among(self, session: str, step: int, least: int) -> BoolArray:
        message = messages.Among(session=session, step=step, least=least)
        return np.array(self._ask(message, _ROWS_OF_BITS), bool)

    def reaching(
        self, session: str, step: int, least: int, rows: Sequence[int]
    ) -> tuple[tuple[int, ...], ...]:
        message = messages.Reaching(session=session, step=step, least=least, rows=tuple(rows))
        return self._ask(message, _SEQUENCES)

    def nearest(self, session: str, step: int, row: int, sequences: Sequence[int]) -> int:
        message = messages.Nearest(session=session, step=step, row=row, sequences=tuple(sequences))
        return self._ask(message, _NUMBER)

    def histogram(self, session: str, step: int, edges: Sequence[int]) -> CountArray:
        message = messages.Histogram(session=session, step=step, edges=tuple(edges))
        return np.array(self._ask(message, _NUMBERS), np.int64)

    def commit(self, commit: Commit) -> None:
        self._ask(messages.CommitBatch(commit=commit), _NOTHING)

    def discard(self, batch: str) -> None:
        self._ask(messages.Discard(batch=batch), _NOTHING)

    def hand_over(self, recipient: int, after: int, until: int) -> Piece:
        message = messages.HandOver(recipient=recipient, after=after, until=until)
        return self._ask(message, _PIECE).piece()

    def take_over(self, pieces: Sequence[Piece]) -> None:
        self._ask(messages.pieces_message(pieces), _NOTHING)

    def close(self) -> None:
        """Close the connections; the party stays as it is."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(self, message: Message, answer: TypeAdapter[T]) -> T:
        try:
            told = self._client.post(
                f"/v1/{message.operation}",
                content=message.model_dump_json(),
                timeout=httpx.Timeout(message.seconds, connect=_CONNECT),
            )
        except (httpx.HTTPError, httpx.InvalidURL) as lost:
            raise PartyUnavailable(
                f"party {self.index} does not answer at {self._card.url}, or not with the "
                f"certificate that is pinned ({type(lost).__name__})"
            ) from lost
        if not told.is_success:
            raise self._error(told)
        try:
            return answer.validate_json(told.content)
        except (ValidationError, ValueError) as error:
            raise PartyUnavailable(f"party {self.index} answers something else") from error

    def _error(self, told: httpx.Response) -> PrivateMatchingError:
        """The error that the party raised, where it is one of these."""
        try:
            fields: Any = told.json()
            code, detail = str(fields["code"]), str(fields["detail"])
        except (ValueError, KeyError, TypeError):
            return PartyUnavailable(f"party {self.index} fails ({told.status_code})")
        for kind in PrivateMatchingError.__subclasses__():
            if kind.code == code:
                return kind(f"party {self.index}: {detail}")
        return PartyUnavailable(f"party {self.index}: {detail} [{code}]")
