"""Search and insert as one decision: the gallery, and who owns its indexes.

Two requests of one person at the same moment must not both find nobody. So one thread at a time
owns the gallery. Who comes while nobody does owns it for this one request, and is spared two
hand-overs; all others put their requests in a queue, and the owner thread takes all that wait as a
batch. A `Sequencer` decides either, which also holds against other processes on the same database.
The database is the truth; the indexes are a cache of it, and only their owner touches them.
"""

import threading
from collections.abc import Collection, Mapping
from queue import SimpleQueue
from types import TracebackType
from typing import NamedTuple, Self, TypeVar

from uniqueness.candidates import Candidate, Identification
from uniqueness.decision import ThresholdPolicy
from uniqueness.errors import GalleryClosed, InvalidTemplate, ModelMismatch
from uniqueness.fusion import Fusion
from uniqueness.index import GalleryIndex
from uniqueness.matching import Matching
from uniqueness.requests import (
    AddTemplate,
    Answer,
    Compares,
    Decider,
    Enroll,
    Findings,
    Identify,
    Remove,
    Request,
)
from uniqueness.sequencer import Sequencer
from uniqueness.snapshot import Snapshot
from uniqueness.status import GalleryStatus, PopulationWatch
from uniqueness.store import GalleryStore
from uniqueness.template import Probe

MAX_BATCH = 256  # requests decided in one transaction

A = TypeVar("A")


class _Waiting(NamedTuple):
    request: Request
    answer: "SimpleQueue[Answer | Exception]"  # takes one; half the code of a `Future`


class Gallery:
    """The people enrolled, and the only way to become one of them. Made by `Gallery.open`.

    Safe to call from many threads. Several galleries, in several processes, may be open on one
    database; whatever they do at the same time, one person is UNIQUE once.
    """

    def __init__(
        self,
        store: GalleryStore,
        sequencer: Decider,
        compares: Compares,
        max_batch: int,
    ) -> None:
        self._store = store
        self._sequencer = sequencer
        self._compares = compares
        self._watch = PopulationWatch(compares.policy)
        self._max_batch = max_batch
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._lock = threading.Lock()  # of what follows
        self._closed = False
        self._owned = threading.Lock()  # held by whoever decides
        self._owner = threading.Thread(target=self._decide, name="gallery-owner", daemon=True)

    @classmethod
    def open(
        cls,
        store: GalleryStore,
        indexes: Mapping[str, GalleryIndex],
        policy: ThresholdPolicy,
        *,
        fusion: Fusion | None = None,
        retiring: Matching | None = None,
        snapshot: Snapshot | None = None,
        max_batch: int = MAX_BATCH,
    ) -> Self:
        """Open a gallery and bring its indexes to where the database is.

        Args:
            store: the database; other galleries may use it at the same time.
            indexes: by model, as the templates name it; what they hold is dropped.
            policy: thresholds for this model's cosines, or for the fused scores.
            fusion: of the models, where there are several.
            retiring: how people are recognised who have no template of these models yet, because
                they were enrolled with another. Who is so recognised gets one of these models.
            snapshot: of the indexes; written when the gallery closes, and now and then before.
            max_batch: most requests decided in one transaction.

        Raises:
            ModelMismatch: the database holds templates of other models, or the models given do
                not fit together.
            WrongKey, RecordCorrupted: the templates cannot be read.
            GalleryUnavailable: the database failed.
        """
        matchings = [Matching(indexes, policy, fusion), *([retiring] if retiring else [])]
        own = matchings[0]
        dimensions = {name: index.dimension for m in matchings for name, index in m.indexes.items()}
        compares = Compares(own.models, own.label, dimensions, own.policy)
        gallery = cls(store, Sequencer(store, matchings, snapshot), compares, max_batch)
        return gallery._started()

    def _started(self) -> Self:
        self._watch.look(self._sequencer.size)
        self._owner.start()
        return self

    @property
    def models(self) -> tuple[str, ...]:
        """The models of which a probe has a template each: the gallery's, then retiring ones."""
        return self._sequencer.models

    @property
    def own_models(self) -> tuple[str, ...]:
        """The gallery's models, without those that are being retired."""
        return self._compares.models

    @property
    def model(self) -> str:
        """The first model of the gallery."""
        return self._compares.models[0]

    @property
    def is_open(self) -> bool:
        """Whether decisions can be had."""
        return not self._closed and self._owner.is_alive()

    def require_working(self) -> None:
        """Check that decisions can be had now; of this gallery that is so while it is open.

        Raises:
            GalleryClosed: it is not.
        """
        if not self.is_open:
            raise GalleryClosed("the gallery is closed")

    @property
    def saturations(self) -> int:
        """See `GalleryStatus.saturations`."""
        return self._sequencer.saturations

    def __len__(self) -> int:
        """How many people are enrolled."""
        return self._store.head().people

    def identify_and_enroll(
        self,
        probe: Probe,
        request_id: str,
        *,
        despite: Collection[int] = (),
        hasty: bool = False,
    ) -> Identification:
        """Decide whether a person is new, and enrol them in the same step if so.

        Args:
            probe: with a template of each of `models`.
            request_id: unique to the request; asked again, the first answer is given again.
            despite: people whom adjudicators found to be others than the one in the probe. They
                are passed over; whoever else is like the probe, also since then, counts.
            hasty: on SQLite, do not wait for the disk. For a caller who commits to the same
                database before telling anybody: that commit takes this one along. Until then a
                power cut, not the end of the process, can undo the decision.

        Raises:
            ModelMismatch: the probe's models are not the gallery's.
            InvalidTemplate: a template has another dimension than its model's.
            GalleryUnavailable: the database failed; retry is safe.
            GalleryClosed: the gallery was closed before it decided.
        """
        self._check(probe, self.models)
        return self._ask_for(Identification, Enroll(probe, request_id, frozenset(despite), hasty))

    def identify(self, probe: Probe) -> Identification:
        """Decide as `identify_and_enroll` would, but change and write nothing.

        Raises: as `identify_and_enroll`.
        """
        self._check(probe, self.models)
        return self._ask_for(Findings, Identify(probe)).identification

    def candidates(self, probe: Probe) -> tuple[Candidate, ...]:
        """List everybody whom a probe may show, from the review threshold on, likeliest first.

        For adjudicators. Raises: as `identify_and_enroll`.
        """
        self._check(probe, self.models)
        return self._ask_for(Findings, Identify(probe)).candidates

    def add_template(self, person: int, probe: Probe, request_id: str) -> Identification:
        """Give an enrolled person the templates of another probe.

        That the probe shows this person is for the caller to know: somebody checked, or the
        templates were made anew from images that the person had let be kept.

        Args:
            person: a number that the gallery gave.
            probe: with a template of any of `models`.
            request_id: unique to the request; asked again, nothing more is added.

        Raises:
            PersonUnknown, PersonRemoved: there is no such person.
            ModelMismatch, InvalidTemplate, GalleryUnavailable, GalleryClosed: see
                `identify_and_enroll`.
        """
        self._check(probe, probe.models)
        return self._ask_for(Identification, AddTemplate(person, probe, request_id))

    def remove(self, person: int) -> None:
        """Remove a person: their templates are erased, and match nobody from now on.

        Raises:
            PersonUnknown, PersonRemoved: there is no such person, or no more.
            GalleryUnavailable, GalleryClosed: see `identify_and_enroll`.
        """
        self._ask(Remove(person))

    def verdict(self, request_id: str) -> Identification | None:
        """Look up the answer that a request got; None if it got none."""
        return self._store.verdicts([request_id]).get(request_id)

    def record_rejection(self, reason: str) -> None:
        """Log that a capture never became a probe, by the code of its reason."""
        self._store.record_rejection(reason, self._compares.label)

    def status(self) -> GalleryStatus:
        """Tell the operator how the gallery stands; counts in the database, so takes a while."""
        templates = self._store.templates_by_model()
        people = self._store.people_by_models()
        return GalleryStatus(
            people=sum(people.values()),
            templates=templates,
            people_by_models={" + ".join(sorted(key)): count for key, count in people.items()},
            thresholds=self._compares.policy.at(max(self._sequencer.size, 1)),
            safe_population=self._compares.policy.safe_population,
            saturations=self._sequencer.saturations,
        )

    def close(self) -> None:
        """Decide what is waiting, then stop."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._owner.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _check(self, probe: Probe, models: Collection[str]) -> None:
        """Refuse a probe that cannot be compared."""
        if set(probe.models) != set(models) or not set(models) <= set(self._compares.dimensions):
            raise ModelMismatch(
                f"this gallery compares {', '.join(self.models)}, not {', '.join(probe.models)}"
            )
        for template in probe.templates:
            expected = self._compares.dimensions[template.model]
            if template.vector.size != expected:
                raise InvalidTemplate(f"a template of {template.model} has {expected} values")

    def _ask_for(self, kind: type[A], request: Request) -> A:
        answer = self._ask(request)
        if not isinstance(answer, kind):
            raise TypeError(f"{type(request).__name__} is not answered by {kind.__name__}")
        return answer

    def _ask(self, request: Request) -> Answer:
        """Decide a request at once, or queue it while another is decided, and wait."""
        answer: Answer | Exception
        if self._queue.empty() and self._owned.acquire(blocking=False):
            try:
                self._require_open()
                [answer] = self._process([request])
            finally:
                self._owned.release()
        else:
            waiting = _Waiting(request, SimpleQueue())
            with self._lock:
                self._require_open()
                self._queue.put(waiting)
            answer = waiting.answer.get()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _require_open(self) -> None:
        if self._closed:
            raise GalleryClosed("the gallery is closed; send the request again later")

    def _decide(self) -> None:
        """Take batches until closed."""
        while first := self._queue.get():
            with self._owned:
                batch = self._batch(first)
                try:
                    answers = self._process([waiting.request for waiting in batch])
                except Exception as error:  # its callers must be told, whatever it was
                    for waiting in batch:
                        waiting.answer.put(error)
                else:
                    for waiting, answer in zip(batch, answers, strict=True):
                        waiting.answer.put(answer)
        with self._owned:
            self._sequencer.close()

    def _process(self, requests: list[Request]) -> list[Answer]:
        """Decide, as the owner; all that touches the indexes once the gallery is open."""
        answers = self._sequencer.process(requests)
        self._watch.look(self._sequencer.size)
        return answers

    def _batch(self, first: _Waiting) -> list[_Waiting]:
        """Take all that wait with a first one."""
        batch = [first]
        while len(batch) < self._max_batch and not self._queue.empty():
            waiting = self._queue.get()
            if waiting is None:
                self._queue.put(None)  # close comes after this batch
                break
            batch.append(waiting)
        return batch
