"""What may be done with the gallery under its lock: one transaction, all of it or nothing."""

from collections.abc import Iterable, Sequence

import numpy as np
from sqlalchemy import Connection

from uniqueness import statements
from uniqueness.candidates import Identification
from uniqueness.errors import PersonRemoved, PersonUnknown
from uniqueness.index import IdArray
from uniqueness.prepared import Driver
from uniqueness.records import NOTHING_CHANGED, Changes, Head, Records, TemplatesByModel
from uniqueness.tally import REMOVED, Outcome, block_of, current_hour, log_outcomes
from uniqueness.template import Template


class GalleryTransaction:
    """Reads and writes while nobody else can decide. Made by `GalleryStore.commit`.

    Numbers are handed out here, under the lock, so that they become visible in their order.
    """

    def __init__(self, driver: Driver, records: Records) -> None:
        self._driver = driver
        self._connection = driver.connection
        self._records = records
        self._head = records.head(driver, lock=True)
        self._found = self._head
        self._templates: list[dict[str, object]] = []
        self._verdicts: list[dict[str, object]] = []
        self._answers: dict[str, Identification] = {}
        self._outcomes: list[Outcome] = []
        self._hour = current_hour()

    @property
    def connection(self) -> Connection:
        """For what has to be written together with the decisions."""
        return self._connection

    @property
    def head(self) -> Head:
        """The head as this transaction leaves it."""
        return self._head

    def changes(self, after: int) -> Changes:
        """Read what others committed after a horizon."""
        if self._found.last_sequence == after:
            return NOTHING_CHANGED
        return self._records.changes(self._connection, after=after, until=self._found.last_sequence)

    def verdicts(self, request_ids: Iterable[str]) -> dict[str, Identification]:
        """Look up the answers that requests got before, also in this transaction."""
        wanted = set(request_ids)
        recorded = {name: self._answers[name] for name in wanted & self._answers.keys()}
        return self._records.verdicts(self._driver, wanted - recorded.keys()) | recorded

    def templates_of(self, persons: Iterable[int]) -> TemplatesByModel:
        """Read all templates of some people, with those added in this transaction."""
        self._write_templates()
        return self._records.templates_of(self._connection, persons)

    def add_person(self, templates: Sequence[Template]) -> tuple[int, list[int]]:
        """Enrol a person; returns the person's number and those of the templates."""
        sequence, person, people = self._head
        self._head = Head(sequence, person + 1, people + 1)
        return person + 1, self._add(person + 1, templates)

    def add_templates(self, person: int, templates: Sequence[Template]) -> list[int]:
        """Give a person more templates; returns the numbers of these.

        Raises:
            PersonUnknown, PersonRemoved: there is nobody to give them to.
        """
        self._require(person)
        return self._add(person, templates)

    def remove(self, person: int, model: str) -> IdArray:
        """Remove a person and erase their templates.

        Args:
            person: whom.
            model: for the decision log, whose line tells nothing else.

        Returns:
            (n,) int64, the numbers of all templates the person ever had.

        Raises:
            PersonUnknown, PersonRemoved: there is nobody to remove.
        """
        self._require(person)
        self._write_templates()
        self._head = Head(
            self._head.last_sequence + 1, self._head.last_person, self._head.people - 1
        )
        removal = {"sequence": self._head.last_sequence, "person": person, "hour": self._hour}
        self._connection.execute(statements.ADD_REMOVAL, removal)
        self._connection.execute(statements.ERASE, {"whom": person})
        self._outcomes.append(Outcome(REMOVED, model))
        sequences = self._connection.scalars(statements.SEQUENCES_OF, {"whom": person})
        return np.fromiter(sequences, np.int64)

    def record(self, request_id: str, identification: Identification, outcome: Outcome) -> None:
        """Keep the answer to a request, and log it."""
        self._answers[request_id] = identification
        self._verdicts.append(self._records.seal_verdict(request_id, identification, self._hour))
        self.note(outcome)

    def note(self, outcome: Outcome) -> None:
        """Log what was no answer to a request."""
        self._outcomes.append(outcome._replace(block=block_of(self._head.last_person)))

    def flush(self) -> None:
        """Send what is not written yet; the store does so before it commits."""
        self._write_templates()
        if self._verdicts:
            self._driver.run(statements.ADD_VERDICTS, self._verdicts)
        log_outcomes(self._driver, self._outcomes, self._hour)
        if self._head != self._found:
            self._driver.run(statements.MOVE_HEAD, [self._head._asdict()])

    def _require(self, person: int) -> None:
        """Refuse a number that names nobody who is enrolled now."""
        if not 1 <= person <= self._head.last_person:
            raise PersonUnknown("the gallery never enrolled a person of this number")
        if self._connection.scalar(statements.REMOVAL_OF, {"whom": person}) is not None:
            raise PersonRemoved("this person was removed from the gallery before")

    def _add(self, person: int, templates: Sequence[Template]) -> list[int]:
        first = self._head.last_sequence + 1
        sequences = list(range(first, first + len(templates)))
        self._templates += [
            self._records.seal_template(sequence, person, template.model, template.vector)
            for sequence, template in zip(sequences, templates, strict=True)
        ]
        self._head = Head(sequences[-1], self._head.last_person, self._head.people)
        return sequences

    def _write_templates(self) -> None:
        if self._templates:
            self._driver.run(statements.ADD_TEMPLATES, self._templates)
            self._templates = []
