"""How a batch of requests becomes decisions: the protocol that lets several processes decide.

    1. catch up     the index takes what others committed, unless it did so within this second;
                    the last number that it holds is its horizon
    2. search       up to the horizon, outside any lock: the long part
    3. lock         one row of the database, so one sequencer at a time is past this point
    4. refresh      score what was committed after the horizon, drop who was removed
    5. judge        in order, each probe also against those that were accepted before it
    6. commit       templates, answers and counts in one transaction; then the lock is free
    7. publish      the index takes what was committed

Whoever is in step 4 sees everything that was committed before, for numbers are handed out under
the lock: what has a number up to the horizon was searched in step 2, all else is read in step 4.
A sequencer is used by one thread at a time.
"""

from collections.abc import Iterable, Sequence
from functools import partial

from uniqueness.batch import Batch, Judgement
from uniqueness.candidates import Identification
from uniqueness.decision import Decision
from uniqueness.errors import ModelMismatch, PersonRemoved, PersonUnknown
from uniqueness.matching import Matching
from uniqueness.replica import Publication, Replica
from uniqueness.requests import AddTemplate, Answer, Enroll, Findings, Identify, Remove, Request
from uniqueness.snapshot import Snapshot
from uniqueness.store import GalleryStore
from uniqueness.tally import SAME_BATCH, SATURATED, TEMPLATE_ADDED, Outcome
from uniqueness.transaction import GalleryTransaction


class Sequencer:
    """Decides batches, one after the other.

    Args:
        store: the database, which other sequencers may use at the same time.
        matchings: the gallery's own, then the one that is being retired, if any. What their
            indexes hold is dropped and read anew, from the snapshot and the database.
        snapshot: of the indexes, if any.

    Raises:
        ModelMismatch: people are enrolled whom these models never recognise.
        WrongKey, RecordCorrupted: the templates cannot be read.
        GalleryUnavailable: the database failed.
    """

    def __init__(
        self,
        store: GalleryStore,
        matchings: Sequence[Matching],
        snapshot: Snapshot | None = None,
    ) -> None:
        self._store = store
        self._matchings = tuple(matchings)
        self._replica = Replica(matchings, store, snapshot)
        self.models = tuple(self._replica.indexes)
        self._saturations = 0
        head = store.head()
        self._refuse_the_unrecognisable()
        self._replica.load(head.last_sequence)

    @property
    def size(self) -> int:
        """Templates that a probe is compared with."""
        return sum(matching.size for matching in self._matchings)

    @property
    def saturations(self) -> int:
        """Probes so far that were near so many templates that all of these had to be listed."""
        return self._saturations

    def process(self, requests: Sequence[Request]) -> list[Answer]:
        """Answer requests that came at the same time, each by its value or its error.

        None of them was answered yet, so they may be taken in any order: changes come first, in
        a transaction of their own, then the probes.

        Raises:
            ModelMismatch: another process enrols with a model that this one cannot compare.
            GalleryUnavailable, SealError: nothing is known of the decisions; asked again, each
                request gets the answer that was committed, or is decided then.
        """
        answers: dict[int, Answer] = {}
        changes = [r for r in requests if isinstance(r, AddTemplate | Remove)]
        if changes:
            answers |= self._change(changes)
        probes = [r for r in requests if isinstance(r, Enroll | Identify)]
        if probes:
            answers |= self._search(probes)
        self._replica.keep()
        return [answers[id(request)] for request in requests]

    def close(self) -> None:
        """Leave a snapshot for the next start."""
        self._replica.close()
        self._store.close()

    def _search(self, requests: Sequence[Enroll | Identify]) -> dict[int, Answer]:
        """Steps 1 and 2 for all, the others for those who want to be enrolled."""
        enrolments = [r for r in requests if isinstance(r, Enroll)]
        if len(enrolments) < len(requests):
            self._replica.thaw()  # who only looks does so in the index alone
        dry = [r for r in requests if isinstance(r, Identify)]
        known: dict[str, Identification] = {}
        # Who is to be enrolled is compared under the lock with all that the index does not hold.
        if dry or not self._replica.is_recent:
            known = self._catch_up(r.request_id for r in enrolments)
        fresh: dict[str, Enroll] = {}
        for request in enrolments:
            if request.request_id not in known:
                fresh.setdefault(request.request_id, request)
        findings: dict[int, Answer] = {}
        if fresh or dry:
            searched: list[Enroll | Identify] = [*fresh.values(), *dry]
            despite = [r.despite if isinstance(r, Enroll) else frozenset[int]() for r in searched]
            batch = Batch([r.probe for r in searched], self._matchings, despite)
            batch.compare(self._store.templates_of_people_at)
            self._saturations += batch.saturated
            findings = {id(r): _findings(batch, row) for row, r in enumerate(dry, len(fresh))}
            if fresh:
                decide = partial(self._decide, batch, list(fresh))
                hasty = all(request.hasty for request in fresh.values())
                decided, publication = self._store.commit(decide, hasty=hasty)
                self._replica.publish(publication)
                known |= decided
        return findings | {id(r): known[r.request_id] for r in enrolments}

    def _decide(
        self, batch: Batch, request_ids: Sequence[str], transaction: GalleryTransaction
    ) -> tuple[dict[str, Identification], Publication]:
        """Steps 4 and 5, under the lock, for the first rows of a batch."""
        known = transaction.verdicts(request_ids)  # another process may have been asked too
        publication = self._publication(transaction)
        batch.refresh(publication.changes, transaction.templates_of)
        accepted: dict[int, int] = {}
        for row, request_id in enumerate(request_ids):
            if request_id in known:
                continue
            judgement, probe = batch.judge(row, accepted), batch.probes[row]
            person, templates = judgement.person, probe.of(judgement.lacking)
            if judgement.decision is Decision.UNIQUE:
                templates = probe.of(self._matchings[0].models)
                person, sequences = transaction.add_person(templates)
                publication.add(sequences, templates)
                accepted[row] = person
            elif person is not None and templates:
                publication.add(transaction.add_templates(person, templates), templates)
            known[request_id] = Identification(judgement.decision, person)
            transaction.record(request_id, known[request_id], _outcome(judgement))
        for _ in range(batch.saturated):
            transaction.note(Outcome(SATURATED, self._matchings[0].label))
        publication.horizon = transaction.head.last_sequence
        return known, publication

    def _change(self, requests: Sequence[AddTemplate | Remove]) -> dict[int, Answer]:
        """Add templates and remove people."""
        if not self._replica.is_recent:
            self._catch_up([])

        def apply(transaction: GalleryTransaction) -> tuple[dict[int, Answer], Publication]:
            publication = self._publication(transaction)
            answers = {id(r): self._apply(r, transaction, publication) for r in requests}
            publication.horizon = transaction.head.last_sequence
            return answers, publication

        answers, publication = self._store.commit(apply)
        self._replica.publish(publication)
        return answers

    def _apply(
        self,
        request: AddTemplate | Remove,
        transaction: GalleryTransaction,
        publication: Publication,
    ) -> Answer:
        label = self._matchings[0].label
        try:
            if isinstance(request, Remove):
                publication.remove(transaction.remove(request.person, label))
                return None
            if known := transaction.verdicts([request.request_id]):
                return known[request.request_id]
            templates = request.probe.templates
            publication.add(transaction.add_templates(request.person, templates), templates)
        except (PersonUnknown, PersonRemoved) as refusal:
            return refusal
        answer = Identification(Decision.DUPLICATE, request.person)
        transaction.record(request.request_id, answer, Outcome(TEMPLATE_ADDED, label))
        return answer

    def _catch_up(self, request_ids: Iterable[str]) -> dict[str, Identification]:
        """Step 1; gives the answers that some of the requests got before."""
        head, known = self._store.standing(list(request_ids))
        self._replica.catch_up(head.last_sequence)
        return known

    def _publication(self, transaction: GalleryTransaction) -> Publication:
        changes = transaction.changes(self._replica.horizon)
        self._replica.require_known(changes.templates)
        return Publication(changes)

    def _refuse_the_unrecognisable(self) -> None:
        """Nobody may be enrolled whom no matching would ever find again."""
        for models in self._store.people_by_models():
            if not any(matching.recognises(models) for matching in self._matchings):
                raise ModelMismatch(
                    f"people are enrolled by {', '.join(sorted(models))} whom "
                    f"{', '.join(self.models)} never recognise: use that model pack, retire its "
                    "model beside the new one, or use another data directory"
                )


def _findings(batch: Batch, row: int) -> Findings:
    judgement = batch.judge(row, {})
    identification = Identification(judgement.decision, judgement.person)
    return Findings(identification, batch.candidates(row))


def _outcome(judgement: Judgement) -> Outcome:
    is_new = judgement.decision is Decision.UNIQUE
    reason = SAME_BATCH if judgement.is_within_batch and not is_new else ""
    return Outcome(judgement.decision.value, judgement.label, reason, judgement.score)
