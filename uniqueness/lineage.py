"""How a database came to be as it is: what its last numbers were given to.

A snapshot keeps this of the database that it was made from. A database that was restored from an
older backup and has gone on since gives the same numbers to other people: it looks whole, and even
further on, but an index made before would find the wrong ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from hashlib import sha256
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement, Connection, select

from uniqueness.index import IdArray
from uniqueness.records import Records
from uniqueness.schema import RemovalRow, TemplateRow

_LENGTH = 1024  # numbers: those after a backup differ, so the last ones do
_ERASED = bytes(32)
_REMOVAL = b"\xff" * 32


@dataclass(frozen=True, eq=False)
class Lineage:
    """What the last numbers up to a horizon were given to.

    Args:
        sequences: (n,) int64, ascending.
        persons: (n,) int64, whose template or removal each is.
        digests: (n, 32) uint8, of the template; all 0 for one that was erased, all 255 for a
            removal.
    """

    sequences: IdArray
    persons: IdArray = field(repr=False)
    digests: npt.NDArray[np.uint8] = field(repr=False)

    @classmethod
    def read(cls, connection: Connection, records: Records, horizon: int) -> Self:
        """Read it from a database.

        Raises:
            WrongKey, RecordCorrupted: see `uniqueness.sealing`.
        """
        after = max(0, horizon - _LENGTH)
        erased = select(TemplateRow.sequence, TemplateRow.person).where(
            TemplateRow.ciphertext.is_(None), *_within(TemplateRow, after, horizon)
        )
        removals = select(RemovalRow.sequence, RemovalRow.person).where(
            *_within(RemovalRow, after, horizon)
        )
        entries = [(*row, _ERASED) for row in connection.execute(erased)]
        entries += [(*row, _REMOVAL) for row in connection.execute(removals)]
        templates = records.templates(connection, after=after, until=horizon)
        for model, found in templates.items():
            digests = [sha256(model.encode() + b"\0" + v.tobytes()) for v in found.vectors]
            entries += [
                (int(sequence), int(person), digest.digest())
                for sequence, person, digest in zip(
                    found.sequences, found.persons, digests, strict=True
                )
            ]
        entries.sort()
        return cls(
            np.array([entry[0] for entry in entries], np.int64),
            np.array([entry[1] for entry in entries], np.int64),
            np.frombuffer(b"".join(entry[2] for entry in entries), np.uint8).reshape(-1, 32),
        )

    def to_arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """Give it for a sealed file."""
        return {f"lineage/{column.name}": getattr(self, column.name) for column in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Take it out of a sealed file."""
        return cls(**{column.name: arrays[f"lineage/{column.name}"] for column in fields(cls)})

    def continues(self, earlier: "Lineage") -> bool:
        """Whether this can be the same database later: templates may have been erased since."""
        if not np.array_equal(self.sequences, earlier.sequences):
            return False
        if not np.array_equal(self.persons, earlier.persons):
            return False
        same = (self.digests == earlier.digests).all(axis=1)
        erased_since = ~self.digests.any(axis=1) & ~(earlier.digests == 255).all(axis=1)
        return bool((same | erased_since).all())


def _within(
    table: type[TemplateRow | RemovalRow], after: int, until: int
) -> tuple[ColumnElement[bool], ...]:
    return table.sequence > after, table.sequence <= until
