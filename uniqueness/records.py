"""Rows of the gallery as values, and what the seal of each of them is bound to."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from uniqueness import statements
from uniqueness.candidates import Identification
from uniqueness.decision import Decision
from uniqueness.index import IdArray
from uniqueness.prepared import Driver
from uniqueness.sealing import Keyring, SealedRecord
from uniqueness.template import FloatArray

Row = Any  # SQLAlchemy does not know the types of a whole table's columns

_VECTOR_DTYPE = np.dtype("<f4")
_MAX_NAMED = 5_000  # values in one IN list; SQLite and PostgreSQL take some 32,000


class Head(NamedTuple):
    """How far the gallery is: the last numbers given, and the people who are in it."""

    last_sequence: int
    last_person: int
    people: int


@dataclass(frozen=True, eq=False)
class TemplateSet:
    """Templates of one model, ascending by sequence.

    Args:
        sequences: (n,) int64.
        persons: (n,) int64, whose template each is.
        vectors: (n, d) float32 of unit norm.
    """

    sequences: IdArray
    persons: IdArray
    vectors: FloatArray = field(repr=False)

    def __len__(self) -> int:
        return len(self.sequences)

    def only(self, chosen: npt.NDArray[np.bool_]) -> Self:
        """Those where the (n,) mask is true."""
        return type(self)(self.sequences[chosen], self.persons[chosen], self.vectors[chosen])


TemplatesByModel = Mapping[str, TemplateSet]


@dataclass(frozen=True, eq=False)
class Changes:
    """What was committed after a horizon.

    Args:
        templates: added, without those of people removed since.
        removed_persons: people removed.
        removed_sequences: (r,) int64, all the templates that these people ever had.
    """

    templates: TemplatesByModel
    removed_persons: frozenset[int]
    removed_sequences: IdArray


_NONE: IdArray = np.empty(0, np.int64)
NOTHING_CHANGED = Changes({}, frozenset(), _NONE)


class Records:
    """Reads rows on a connection, and seals and opens what is secret in them."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def head(self, driver: Driver, *, lock: bool = False) -> Head:
        """Read the head; with `lock`, as the one who may move it until the commit."""
        query = statements.LOCK_HEAD if lock else statements.READ_HEAD
        [row] = driver.rows(query)
        return Head(*row)

    def changes(self, connection: Connection, *, after: int, until: int) -> Changes:
        """Read what was committed under the sequence numbers in (after, until]."""
        between = {"after": after, "until": until}
        persons = frozenset(connection.scalars(statements.REMOVED_BETWEEN, between))
        removed = self.removed_sequences(connection, **between) if persons else _NONE
        return Changes(self.templates(connection, **between), persons, removed)

    def templates(
        self, connection: Connection, *, after: int, until: int, limit: int | None = None
    ) -> TemplatesByModel:
        """Read templates in order of their sequence numbers, without those erased."""
        query = statements.KEPT_BETWEEN
        rows = connection.execute(
            query if limit is None else query.limit(limit), {"after": after, "until": until}
        )
        return self._open_templates(rows)

    def removed_sequences(self, connection: Connection, *, after: int, until: int) -> IdArray:
        """(m,) int64, all templates of the people whose removal has a number in (after, until]."""
        between = {"after": after, "until": until}
        found = connection.scalars(statements.REMOVED_SEQUENCES_BETWEEN, between)
        return np.fromiter(found, np.int64)

    def templates_of(self, connection: Connection, persons: Iterable[int]) -> TemplatesByModel:
        """Read all templates of some people, of all models, without those erased."""
        rows = [
            row
            for chunk in _chunks(persons)
            for row in connection.execute(statements.KEPT_OF_PERSONS, {"persons": chunk})
        ]
        return self._open_templates(sorted(rows, key=lambda row: row.sequence))

    def templates_at(self, connection: Connection, sequences: Iterable[int]) -> TemplatesByModel:
        """Read the templates that have some sequence numbers, without those erased."""
        rows = [
            row
            for chunk in _chunks(sequences)
            for row in connection.execute(statements.KEPT_AT, {"sequences": chunk})
        ]
        return self._open_templates(sorted(rows, key=lambda row: row.sequence))

    def persons_at(self, connection: Connection, sequences: Iterable[int]) -> set[int]:
        """Look up whose templates have some sequence numbers."""
        persons: set[int] = set()
        for chunk in _chunks(sequences):
            persons.update(connection.scalars(statements.PERSONS_AT, {"sequences": chunk}))
        return persons

    def verdicts(self, driver: Driver, request_ids: Iterable[str]) -> dict[str, Identification]:
        """Look up the answers that requests got before."""
        names = {f"r{number}": name for number, name in enumerate(request_ids)}
        if not names:
            return {}
        rows = driver.rows(statements.verdicts_of(len(names)), names)
        return {
            request_id: self._open_identification(request_id, *row) for request_id, *row in rows
        }

    def seal_template(
        self, sequence: int, person: int, model: str, vector: FloatArray
    ) -> dict[str, object]:
        """Make the row of a template."""
        record = self._seal(
            vector.astype(_VECTOR_DTYPE, copy=False).tobytes(),
            template_context(sequence, person, model),
        )
        return {"sequence": sequence, "person": person, "model": model, **record}

    def seal_verdict(
        self, request_id: str, identification: Identification, hour: int
    ) -> dict[str, object]:
        """Make the row of an answer."""
        decision = identification.decision.value
        row: dict[str, object] = {"request_id": request_id, "decision": decision, "hour": hour}
        if identification.person is None:
            return row | {"key_id": None, "nonce": None, "ciphertext": None}
        content = identification.person.to_bytes(8, "big")
        return row | self._seal(content, verdict_context(request_id, decision))

    def _open_templates(self, rows: Iterable[Row]) -> TemplatesByModel:
        by_model: dict[str, list[tuple[int, int, bytes]]] = {}
        for sequence, person, model, *sealed in rows:
            content = self._open(SealedRecord(*sealed), template_context(sequence, person, model))
            by_model.setdefault(model, []).append((sequence, person, content))
        return {model: _template_set(opened) for model, opened in by_model.items()}

    def _open_identification(
        self, request_id: str, decision: str, _hour: int, *sealed: Any
    ) -> Identification:
        *_, ciphertext = sealed
        if ciphertext is None:
            return Identification(Decision(decision), None)
        content = self._open(SealedRecord(*sealed), verdict_context(request_id, decision))
        return Identification(Decision(decision), int.from_bytes(content, "big"))

    def _seal(self, content: bytes, context: bytes) -> dict[str, object]:
        record = self._keyring.seal(content, context=context)
        return {"key_id": record.key_id, "nonce": record.nonce, "ciphertext": record.ciphertext}

    def _open(self, record: SealedRecord, context: bytes) -> bytes:
        return self._keyring.open(record, context=context)


def template_context(sequence: int, person: int, model: str) -> bytes:
    """What a template's seal is bound to, so that it opens in its own row only."""
    return f"template\0{sequence}\0{person}\0{model}".encode()


def verdict_context(request_id: str, decision: str) -> bytes:
    """What the seal of a verdict's person is bound to."""
    return f"verdict\0{decision}\0{request_id}".encode()


def _template_set(opened: Sequence[tuple[int, int, bytes]]) -> TemplateSet:
    sequences, persons, contents = zip(*opened, strict=True)
    vectors = np.frombuffer(b"".join(contents), _VECTOR_DTYPE).reshape(len(opened), -1)
    return TemplateSet(
        np.array(sequences, np.int64), np.array(persons, np.int64), vectors.astype(np.float32)
    )


def _chunks(values: Iterable[int]) -> Iterator[list[int]]:
    ordered = sorted(set(values))
    for start in range(0, len(ordered), _MAX_NAMED):
        yield ordered[start : start + _MAX_NAMED]
