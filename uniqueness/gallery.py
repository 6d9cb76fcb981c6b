"""Search and insert as one decision: the gallery.

Two requests of one person at the same moment must not both find nobody. So one thread at a time
owns the gallery (`WaitingRoom`) and lets a `Sequencer` decide what came together, which also holds
against other processes on the same database. The database is the truth; the indexes are a cache of
it, and only their owner touches them.
"""

from collections.abc import Collection, Mapping
from types import TracebackType
from typing import Self, TypeVar

from uniqueness.candidates import Candidate, Identification
from uniqueness.decision import ThresholdPolicy
from uniqueness.errors import GalleryClosed, InvalidTemplate, ModelMismatch
from uniqueness.fusion import Fusion
from uniqueness.index import GalleryIndex
from uniqueness.matching import Matching
from uniqueness.requests import (
    AddTemplate,
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
from uniqueness.waiting_room import WaitingRoom

MAX_BATCH = 256  # requests decided in one transaction

A = TypeVar("A")


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
        self._room = WaitingRoom(sequencer, PopulationWatch(compares.policy), max_batch)

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
        self._room.start()
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
        return self._room.is_open

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
        self._room.ask(Remove(person))

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
        self._room.close()

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
        answer = self._room.ask(request)
        if not isinstance(answer, kind):
            raise TypeError(f"{type(request).__name__} is not answered by {kind.__name__}")
        return answer
