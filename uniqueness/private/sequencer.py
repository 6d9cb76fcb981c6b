"""How a batch becomes decisions when nobody may see a template.

    1. meet      a session with the three parties, all at the head of the ledger
    2. share     each probe is split, sealed for its party, and forgotten here
    3. match     the parties answer by bits, and only those that a decision needs
    4. judge     in order, each probe also against those that were accepted before it
    5. commit    answers, whose the new templates are, and the step for the parties: one transaction
    6. publish   the parties make the accepted rows of the batch part of their galleries

The parties keep their shares durably in step 2, so from step 5 on nothing can be lost: a party that
missed step 6 is told when the next session is opened. A sequencer is used by one thread at a time.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from uniqueness.candidates import Identification
from uniqueness.decision import Decision, ThresholdPolicy
from uniqueness.errors import (
    EngineFailed,
    ModelMismatch,
    PartyUnavailable,
    PersonRemoved,
    PersonUnknown,
    SessionEnded,
)
from uniqueness.private.ledger import Ledger, require_session, write_step
from uniqueness.private.match import Match, Matcher
from uniqueness.private.parties import Parties, fresh_name
from uniqueness.private.protocol import Added, Change, Commit, CountArray, Erased
from uniqueness.private.quantised import least_product, quantise
from uniqueness.requests import AddTemplate, Answer, Enroll, Findings, Identify, Remove, Request
from uniqueness.tally import SAME_BATCH, TEMPLATE_ADDED, Outcome
from uniqueness.template import Probe
from uniqueness.transaction import GalleryTransaction

_PASSING = (EngineFailed, PartyUnavailable, SessionEnded)  # worth another try with a new session


class PrivateSequencer:
    """Decides batches, one after the other, by what three parties compute.

    Args:
        ledger: the coordinator's database.
        parties: the three.
        model: whose templates are compared.
        policy: thresholds on their cosine.

    Raises:
        ModelMismatch: the database is of a gallery that is not shared, or of another model.
        GalleryUnavailable: the database failed. That a party is not there shows at the first batch.
    """

    saturations = 0  # the parties always compare all

    def __init__(
        self, ledger: Ledger, parties: Parties, model: str, policy: ThresholdPolicy
    ) -> None:
        self._ledger = ledger
        self._store = ledger.store
        self._parties = parties
        self._policy = policy
        self._head = 0
        self.models = (model,)
        for models in self._store.people_by_models():
            if models != {ledger.label}:
                raise ModelMismatch(
                    f"people are enrolled by {', '.join(sorted(models))}, whom the parties do not "
                    "know: use another database, or match without the parties"
                )
        self.size = self._count()

    def process(self, requests: Sequence[Request]) -> list[Answer]:
        """See `uniqueness.requests.Decider`.

        Raises:
            PrivateMatchingError: a party or the computation failed, twice; nothing was decided.
            GalleryUnavailable, SealError: the database failed.
        """
        try:
            return self._answer(requests)
        except _PASSING:
            return self._answer(requests)

    def count_scores(self, edges: Sequence[float]) -> CountArray:
        """Count the cosines of a few templates with all, by buckets.

        Args:
            edges: (b + 1,) ascending; a bucket has its lower edge and not its upper one. A template
                has the cosine 1 with itself.

        Returns:
            (b,) int64; 0 for a bucket of fewer than 1,000.

        Raises:
            PartyRefused: too few templates, or too few since the last time.
            PrivateMatchingError: nothing was counted; try again.
        """
        self._meet()
        self._parties.load_sample()
        return self._parties.histogram([least_product(edge) for edge in edges])

    def close(self) -> None:
        """End the session and let go of the database."""
        self._parties.close()
        self._store.close()

    def _answer(self, requests: Sequence[Request]) -> list[Answer]:
        """None of them was answered yet, so changes come first, then the probes."""
        answers: dict[int, Answer] = {}
        changes = [r for r in requests if isinstance(r, AddTemplate | Remove)]
        if changes:
            answers |= self._change(changes)
        probes = [r for r in requests if isinstance(r, Enroll | Identify)]
        if probes:
            answers |= self._search(probes)
        return [answers[id(request)] for request in requests]

    def _search(self, requests: Sequence[Enroll | Identify]) -> dict[int, Answer]:
        enrolments = [r for r in requests if isinstance(r, Enroll)]
        dry = [r for r in requests if isinstance(r, Identify)]
        known = self._store.verdicts([r.request_id for r in enrolments]) if enrolments else {}
        fresh: dict[str, Enroll] = {}
        for request in enrolments:
            if request.request_id not in known:
                fresh.setdefault(request.request_id, request)
        findings: dict[int, Answer] = {}
        if fresh or dry:
            self._meet()
            searched: list[Enroll | Identify] = [*fresh.values(), *dry]
            with self._unless_it_fails():
                batch = self._share([request.probe for request in searched])
                match = self._match(batch, list(fresh.values()), len(dry))
                rows = enumerate(dry, len(fresh))
                findings = {id(request): _findings(match, row) for row, request in rows}
                decided, step = self._store.commit(partial(self._decide, batch, fresh, match))
            self._publish(batch, step)
            known |= decided
        return findings | {id(r): known[r.request_id] for r in enrolments}

    def _meet(self) -> None:
        """Step 1."""
        if not self._parties.has_session:
            session = fresh_name()
            head = self._ledger.begin(session)
            if head != self._head:
                self._head, self.size = head, self._count()
            self._parties.open(session, head, self._ledger.missed)

    def _share(self, probes: Sequence[Probe]) -> str:
        """Step 2; returns the batch's name."""
        batch = fresh_name()
        templates = [probe.of(self.models)[0] for probe in probes]
        self._parties.prepare(batch, [quantise(template.vector) for template in templates])
        return batch

    def _match(self, batch: str, fresh: Sequence[Enroll], dry: int) -> Match:
        """Step 3."""
        self._parties.load(batch)
        thresholds = self._policy.at(max(1, self.size))
        despite = {row: request.despite for row, request in enumerate(fresh) if request.despite}
        count = len(fresh) + dry
        matcher = Matcher(self._parties, thresholds, self._ledger.persons_of)
        return matcher.match(count, despite, range(len(fresh), count))

    def _decide(
        self,
        batch: str,
        requests: Mapping[str, Enroll],
        match: Match,
        transaction: GalleryTransaction,
    ) -> tuple[dict[str, Identification], Commit | None]:
        """Steps 4 and 5, under the gallery's lock, for the first rows of a batch."""
        self._require_unmoved(transaction)
        decided = transaction.verdicts(requests)
        changes: list[Change] = []
        accepted: set[int] = set()
        for row, (request_id, request) in enumerate(requests.items()):
            if request_id in decided:
                continue
            decision, person = match.decide(row, accepted), None
            is_within_batch = decision is not match.decisions[row]
            if decision is Decision.UNIQUE:
                person, _ = transaction.add_person(request.probe.templates)
                accepted.add(row)
                changes.append(Added(row))
            decided[request_id] = Identification(decision, person)
            reason = SAME_BATCH if is_within_batch else ""
            outcome = Outcome(decision.value, self._ledger.label, reason)
            transaction.record(request_id, decided[request_id], outcome)
        return decided, self._write(batch, changes, transaction)

    def _change(self, requests: Sequence[AddTemplate | Remove]) -> dict[int, Answer]:
        """Add templates and remove people.

        A removal needs no party: it is decided, and told them when they are there.
        """
        probes = [request.probe for request in requests if isinstance(request, AddTemplate)]
        if probes:
            self._meet()

        def apply(transaction: GalleryTransaction) -> tuple[dict[int, Answer], Commit | None]:
            if probes:
                self._require_unmoved(transaction)
            changes: list[Change] = []
            answers: dict[int, Answer] = {}
            row = 0
            for request in requests:
                answers[id(request)] = self._apply(request, row, changes, transaction)
                row += isinstance(request, AddTemplate)
            return answers, self._write(batch, changes, transaction)

        with self._unless_it_fails():
            batch = self._share(probes) if probes else fresh_name()
            answers, step = self._store.commit(apply)
        self._publish(batch, step)
        return answers

    def _apply(
        self,
        request: AddTemplate | Remove,
        row: int,
        changes: list[Change],
        transaction: GalleryTransaction,
    ) -> Answer:
        label = self._ledger.label
        try:
            if isinstance(request, Remove):
                removed = transaction.remove(request.person, label)
                changes.append(Erased(tuple(removed.tolist())))
                return None
            if known := transaction.verdicts([request.request_id]):
                return known[request.request_id]
            transaction.add_templates(request.person, request.probe.templates)
        except (PersonUnknown, PersonRemoved) as refusal:
            return refusal
        changes.append(Added(row))
        answer = Identification(Decision.DUPLICATE, request.person)
        transaction.record(request.request_id, answer, Outcome(TEMPLATE_ADDED, label))
        return answer

    def _write(
        self, batch: str, changes: Sequence[Change], transaction: GalleryTransaction
    ) -> Commit | None:
        """Write the step for the parties, which follows from the numbers that were given."""
        if not changes:
            return None
        head = transaction.head.last_sequence - len(changes)
        step = Commit(batch, head, tuple(changes))
        done = self._head if self._parties.has_session else 0
        write_step(transaction.connection, step, done=done)
        return step

    def _publish(self, batch: str, step: Commit | None) -> None:
        """Step 6; with no step, nothing is left of the batch."""
        if step is None:
            self._parties.discard(batch)
            return
        self._parties.commit(step)
        if step.head == self._head:
            self._head += len(step.changes)
            self.size += sum(
                1 if isinstance(change, Added) else -len(change.sequences)
                for change in step.changes
            )

    @contextmanager
    def _unless_it_fails(self) -> Iterator[None]:
        """End the session on a fault, also of the database, which may have committed all the same.

        The next session begins with what was committed, and drops what was not.
        """
        try:
            yield
        except BaseException:
            self._parties.end()
            raise

    def _require_unmoved(self, transaction: GalleryTransaction) -> None:
        """Refuse to decide from what the parties found before somebody else decided."""
        require_session(transaction.connection, self._parties.session)
        if transaction.head.last_sequence != self._head:
            raise SessionEnded("the gallery changed while it was searched: ask again")

    def _count(self) -> int:
        return self._store.templates_by_model().get(self._ledger.label, 0)


def _findings(match: Match, row: int) -> Findings:
    candidates = match.candidates.get(row, ())
    person = candidates[0].person if candidates else None
    return Findings(Identification(match.decisions[row], person), candidates)
