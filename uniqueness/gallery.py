"""Search and insert as one decision: the gallery and its owner thread.

Two requests of one person at the same moment must not both find nobody. So one thread decides:
it takes all waiting probes as a batch, searches them together, compares them with each other,
decides in their order, commits, and only then adds to the index. The database is the truth; the
index is a cache that is rebuilt from it.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Self

import numpy as np

from uniqueness.decision import Decision, Thresholds
from uniqueness.errors import GalleryClosed, InvalidTemplate, ModelMismatch
from uniqueness.index import GalleryIndex
from uniqueness.ownership import Ownership, lock_file_of
from uniqueness.store import GalleryStore, Verdict
from uniqueness.template import Template

MAX_BATCH = 64  # probes decided in one transaction


@dataclass(frozen=True, eq=False)
class _Probe:
    template: Template
    request_id: str
    answer: "Future[Decision]" = field(default_factory=Future)


class Gallery:
    """The people enrolled, and the only way to become one of them. Made by `Gallery.open`."""

    def __init__(
        self,
        store: GalleryStore,
        index: GalleryIndex,
        thresholds: Thresholds,
        model: str,
        *,
        ownership: Ownership | None,
        max_batch: int,
    ) -> None:
        self._store = store
        self._index = index
        self._thresholds = thresholds
        self._model = model
        self._ownership = ownership
        self._max_batch = max_batch
        self._queue: SimpleQueue[_Probe | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._last_sequence = 0  # of the database, as far as the index holds it
        self._index_behind = True
        self._owner = threading.Thread(target=self._own, name="gallery-owner", daemon=True)

    @classmethod
    def open(
        cls,
        store: GalleryStore,
        index: GalleryIndex,
        thresholds: Thresholds,
        model: str,
        *,
        lock_file: Path | None = None,
        max_batch: int = MAX_BATCH,
    ) -> Self:
        """Become the gallery's one owner and rebuild the index from the database.

        Args:
            store: the database.
            index: an index of the model's dimension; what it holds is dropped.
            thresholds: cosines for this model.
            model: the one model of this gallery, as its templates name it.
            lock_file: held while open; beside the database if that is a SQLite file.
            max_batch: most probes decided in one transaction.

        Raises:
            GalleryOwned: another process, or another gallery of this one, has it open.
            ModelMismatch: the database holds templates of another model.
            WrongKey, RecordCorrupted: the templates cannot be read.
            GalleryUnavailable: the database failed.
        """
        lock_file = lock_file or lock_file_of(store.engine)
        ownership = Ownership(lock_file) if lock_file else None
        gallery = cls(store, index, thresholds, model, ownership=ownership, max_batch=max_batch)
        try:
            gallery._refuse_other_models()
            index.clear()
            gallery._catch_up()
        except BaseException:
            if ownership:
                ownership.release()
            raise
        gallery._owner.start()
        return gallery

    @property
    def model(self) -> str:
        """The model whose templates this gallery compares."""
        return self._model

    @property
    def is_open(self) -> bool:
        """Whether decisions can be had."""
        return not self._closed and self._owner.is_alive()

    def __len__(self) -> int:
        return len(self._index)

    def identify_and_enroll(self, template: Template, request_id: str) -> Decision:
        """Decide whether a person is new, and enrol them in the same step if so.

        Args:
            template: the probe.
            request_id: unique to the request; asked again, the first decision is given again.

        Raises:
            ModelMismatch: the template is another model's.
            InvalidTemplate: it has another dimension than this model's.
            GalleryUnavailable: the commit failed; nothing of it was kept, retry is safe.
            GalleryClosed: the gallery was closed before it decided.
        """
        if template.model != self._model:
            raise ModelMismatch(f"this gallery compares {self._model}, not {template.model}")
        if template.vector.size != self._index.dimension:
            raise InvalidTemplate(f"a template of {self._model} has {self._index.dimension} values")
        probe = _Probe(template, request_id)
        with self._lock:
            if self._closed:
                raise GalleryClosed("the gallery is closed; send the request again later")
            self._queue.put(probe)
        return probe.answer.result()

    def verdict(self, request_id: str) -> Decision | None:
        """Look up the decision that a request got; None if it got none."""
        return self._store.verdicts([request_id]).get(request_id)

    def record_rejection(self, reason: str) -> None:
        """Log that a capture never became a probe, by the code of its reason."""
        self._store.record_rejection(reason, self._model)

    def close(self) -> None:
        """Decide what is waiting, then stop and give up ownership."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._owner.join()
        if self._ownership:
            self._ownership.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _refuse_other_models(self) -> None:
        if others := set(self._store.models()) - {self._model}:
            raise ModelMismatch(
                f"the gallery holds templates of {', '.join(sorted(others))}, not of "
                f"{self._model}: use that model pack, or another data directory"
            )

    def _own(self) -> None:
        """Take batches until closed; the only code that touches the index once it is open."""
        while batch := self._next_batch():
            try:
                decisions = self._decide(batch)
            except Exception as error:  # its callers must be told, whatever it was
                self._index_behind = True
                for probe in batch:
                    probe.answer.set_exception(error)
            else:
                for probe in batch:
                    probe.answer.set_result(decisions[probe.request_id])

    def _next_batch(self) -> list[_Probe]:
        """Wait for a probe and take all that wait with it; empty when closed."""
        first = self._queue.get()
        batch = [first] if first else []
        while batch and len(batch) < self._max_batch:
            try:
                probe = self._queue.get_nowait()
            except Empty:
                break
            if probe is None:
                self._queue.put(None)  # close comes after this batch
                break
            batch.append(probe)
        return batch

    def _decide(self, batch: Sequence[_Probe]) -> dict[str, Decision]:
        """Decide a batch, commit it, publish it to the index."""
        if self._index_behind:
            self._catch_up()
        decided = self._store.verdicts([probe.request_id for probe in batch])
        fresh: dict[str, _Probe] = {}
        for probe in batch:
            if probe.request_id not in decided:
                fresh.setdefault(probe.request_id, probe)
        if not fresh:
            return decided
        verdicts = self._compare(list(fresh.values()))
        sequences = self._store.commit(verdicts)
        if len(sequences):
            accepted = [v.template.vector for v in verdicts if v.decision is Decision.UNIQUE]
            self._index.add(sequences, np.stack(accepted))
            self._last_sequence = int(sequences[-1])
        return decided | {verdict.request_id: verdict.decision for verdict in verdicts}

    def _compare(self, probes: Sequence[_Probe]) -> list[Verdict]:
        """Decide each probe by its best score against the gallery and those accepted before it."""
        vectors = np.stack([probe.template.vector for probe in probes])
        gallery_scores = self._index.search(vectors, k=1).best_scores()
        batch_scores = vectors @ vectors.T
        verdicts = []
        accepted: list[int] = []
        for row, probe in enumerate(probes):
            score = max([float(gallery_scores[row]), *map(float, batch_scores[row, accepted])])
            decision = self._thresholds.decide(score)
            if decision is Decision.UNIQUE:
                accepted.append(row)
            verdicts.append(Verdict(probe.request_id, probe.template, decision, score))
        return verdicts

    def _catch_up(self) -> None:
        """Add what the database holds beyond the index.

        After a failed commit too: the connection may have broken after the database took it.
        """
        for sequences, vectors in self._store.templates(after=self._last_sequence):
            self._index.add(sequences, vectors)
            self._last_sequence = int(sequences[-1])
        self._index_behind = False
