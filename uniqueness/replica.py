"""The indexes of a gallery as a copy that follows the database, and how far it has come.

The horizon is a sequence number: all that was committed up to it is in the indexes, nothing that
was committed later is. It moves when a publication is complete, never before; and not while a
snapshot is written, for then the indexes stay as they are.
"""

import logging
import math
import time
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np

from uniqueness.errors import ModelMismatch
from uniqueness.index import GalleryIndex, IdArray
from uniqueness.matching import Matching
from uniqueness.records import Changes
from uniqueness.snapshot import Snapshot, SnapshotWriter
from uniqueness.store import GalleryStore
from uniqueness.template import FloatArray, Template

_RECENT = 1.0  # seconds: what others commit in it is quickly read under the lock

_log = logging.getLogger(__name__)


class Publication:
    """What one transaction leaves for the indexes to take in once it is committed.

    Args:
        changes: what others had committed after the horizon.
    """

    def __init__(self, changes: Changes) -> None:
        self.changes = changes
        self.horizon = 0
        self._sequences: dict[str, list[int]] = {}
        self._vectors: dict[str, list[FloatArray]] = {}
        self._removed = [changes.removed_sequences]

    def add(self, sequences: Sequence[int], templates: Sequence[Template]) -> None:
        """Note templates that the transaction wrote under these numbers."""
        for sequence, template in zip(sequences, templates, strict=True):
            self._sequences.setdefault(template.model, []).append(sequence)
            self._vectors.setdefault(template.model, []).append(template.vector)

    def remove(self, sequences: IdArray) -> None:
        """Note templates that the transaction erased."""
        self._removed.append(sequences)

    def added(self) -> Iterator[tuple[str, IdArray, FloatArray]]:
        """Model, (n,) ascending sequence numbers and (n, d) vectors: others', then its own."""
        for model, templates in self.changes.templates.items():
            yield model, templates.sequences, templates.vectors
        for model, sequences in self._sequences.items():
            yield model, np.array(sequences, np.int64), np.array(self._vectors[model])

    def removed(self) -> IdArray:
        """(m,) sequence numbers that are to be found no more."""
        return np.concatenate(self._removed)


class Replica:
    """The indexes of some matchings.

    Args:
        matchings: whose indexes these are; two may share one.
        store: what they follow.
        snapshot: from which they begin, if any, and to which they are written.

    Raises:
        ModelMismatch: two matchings have different indexes of one model.
    """

    def __init__(
        self,
        matchings: Sequence[Matching],
        store: GalleryStore,
        snapshot: Snapshot | None = None,
    ) -> None:
        self._store = store
        self._snapshot = snapshot
        self._writer: SnapshotWriter | None = None
        self._indexes: dict[str, GalleryIndex] = {}
        for matching in matchings:
            for model, index in matching.indexes.items():
                if self._indexes.setdefault(model, index) is not index:
                    raise ModelMismatch(f"{model} has two indexes: give both matchings the same")
        self._horizon = 0
        self._looked = -math.inf  # seconds on the monotonic clock
        # A publication broke off: the indexes may hold a part of what follows the horizon.
        self._torn = False

    @property
    def horizon(self) -> int:
        """The last sequence number of which the indexes know."""
        return self._horizon

    @property
    def indexes(self) -> Mapping[str, GalleryIndex]:
        """By model."""
        return self._indexes

    @property
    def is_recent(self) -> bool:
        """Whether the database was looked at so lately that little can lie beyond the horizon."""
        return not self._torn and time.monotonic() - self._looked < _RECENT

    def load(self, until: int) -> None:
        """Hold what the snapshot does, if there is one, and the database up to a number.

        Templates of other models are passed over: whoever has them has one of these models too,
        or the gallery is not opened.
        """
        self._horizon, self._torn = 0, False
        if self._snapshot:
            self._horizon = self._snapshot.load(self._indexes)
            self._writer = SnapshotWriter(self._snapshot, self._horizon)
        else:
            for index in self._indexes.values():
                index.clear()
        if until > self._horizon:
            self._take_in(until, strict=False)

    def catch_up(self, until: int) -> None:
        """Take in what the database holds beyond the horizon, up to a sequence number.

        Raises:
            ModelMismatch: see `require_known`.
        """
        if not self._is_frozen and (until != self._horizon or self._torn):
            self._take_in(until, strict=True)
        self._looked = time.monotonic()

    def require_known(self, models: Collection[str]) -> None:
        """Refuse templates that were added since the gallery was opened, and cannot be compared.

        Raises:
            ModelMismatch: another process enrols with another model.
        """
        if others := set(models) - set(self._indexes):
            raise ModelMismatch(
                f"another process enrols with {', '.join(sorted(others))}, which this one cannot "
                "compare: let all of them run with the same models"
            )

    def _take_in(self, until: int, *, strict: bool) -> None:
        again, self._torn = self._torn, True
        for chunk in self._store.templates(after=self._horizon, until=until):
            if strict:
                self.require_known(chunk)
            for model in set(chunk) & set(self._indexes):
                templates = chunk[model]
                self._add(model, templates.sequences, templates.vectors, again=again)
        self._remove(self._store.removed_sequences(after=self._horizon, until=until))
        self._horizon, self._torn = until, False

    def publish(self, publication: Publication) -> None:
        """Take in what was committed; where that fails, the next `catch_up` does it.

        A decision that is committed stands, whatever becomes of the index.
        """
        if self._torn or self._is_frozen:
            return
        self._torn = True
        try:
            for model, sequences, vectors in publication.added():
                self._add(model, sequences, vectors, again=False)
            self._remove(publication.removed())
        except Exception:
            _log.exception("the index did not take a batch; the next one begins by catching up")
            return
        self._horizon, self._torn = publication.horizon, False
        self._looked = time.monotonic()

    def keep(self) -> None:
        """Begin to write a snapshot if it is time; to be called between batches."""
        if self._writer and not self._torn:
            self._writer.write_if_due(self._horizon, self._indexes)

    def thaw(self) -> None:
        """Wait until the indexes can follow the database again."""
        if self._writer:
            self._writer.wait()

    def close(self) -> None:
        """Write a last snapshot."""
        if self._writer and not self._torn:
            self._writer.write_last(self._horizon, self._indexes)

    @property
    def _is_frozen(self) -> bool:
        return self._writer is not None and self._writer.is_writing

    def _add(self, model: str, ids: IdArray, vectors: FloatArray, *, again: bool) -> None:
        index = self._indexes[model]
        if again:
            index.remove(ids)
        index.add(ids, vectors)

    def _remove(self, ids: IdArray) -> None:
        if len(ids):
            for index in self._indexes.values():
                index.remove(ids)
