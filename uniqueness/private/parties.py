"""The three parties as one: asked at the same time, believed when they agree."""

import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import NoReturn, TypeVar

import numpy as np

from uniqueness.errors import PartiesDisagree, PartyUnavailable, PrivateMatchingError, SessionEnded
from uniqueness.private.protocol import BoolArray, Commit, CountArray, PartyLike, PartyStatus
from uniqueness.private.quantised import QuantisedTemplate
from uniqueness.private.shares import PARTIES, Share, split

A = TypeVar("A")
Seal = Callable[[Share, int, str, int], bytes]  # of a share, for a party, in a batch, at a row


def fresh_name() -> str:
    """A name for a session or a batch, never used before."""
    return secrets.token_hex(16)


class Parties:
    """Leads three parties through a session, step by step. Used by one thread.

    Args:
        parties: the three, in their order.
        seal: closes a share so that only its party opens it.
    """

    def __init__(self, parties: Sequence[PartyLike], seal: Seal) -> None:
        self._parties = sorted(parties, key=lambda party: party.index)
        if [party.index for party in self._parties] != list(range(PARTIES)):
            raise PartyUnavailable("there must be three parties, of the indices 0, 1 and 2")
        self._seal = seal
        self._session: str | None = None
        self._step = 0
        self._disagreement: PartiesDisagree | None = None  # until a session is open again
        # Twice as many: a session can be ended while all three wait in it.
        self._pool = ThreadPoolExecutor(2 * PARTIES, "party")

    @property
    def session(self) -> str:
        """The session that is open.

        Raises:
            SessionEnded: there is none.
        """
        if self._session is None:
            raise SessionEnded("no session is open with the parties")
        return self._session

    @property
    def has_session(self) -> bool:
        """Whether a session is open, as far as is known."""
        return self._session is not None

    def open(self, session: str, head: int, missed: Callable[[int], Sequence[Commit]]) -> None:
        """Bring all three to one head, see that they hold the same, and open a session.

        Args:
            session: a fresh name, which the ledger knows already: no other session commits now.
            head: the last number that was given.
            missed: the steps after a party's head.

        Raises:
            PartyUnavailable, EngineFailed: try again.
            PartyBehind: a party lost more than the steps that are kept; it must be reshared.
            PartiesDisagree: they hold different things, or things that nobody decided.
        """
        self.end()
        behind = [missed(status.head) if status.head < head else () for status in self._statuses()]
        self._each(lambda party: _catch_up(party, behind[party.index]))
        found = self._statuses()
        for party, status in zip(self._parties, found, strict=True):
            if status.head != head:
                self._stop(
                    f"party {party.index} is at {status.head}, the service's database at {head}: "
                    "one of the two was restored from an older copy; see `personhood party reshare`"
                )
        for index, status in enumerate(found):
            following = found[(index + 1) % PARTIES]
            if status.digests[1] != following.digests[0]:
                self._stop(
                    f"parties {index} and {following.index} hold different shares of the gallery: "
                    "matching stops until one of them is reshared from the others"
                )
        with suppress(PrivateMatchingError):  # of sessions that can commit no more; or next time
            self._each(lambda party: _tidy(party, found[party.index].prepared))
        self._each(lambda party: party.open_session(session), session=session)
        self._session, self._step, self._disagreement = session, 0, None

    def require_working(self) -> None:
        """Check, from any thread, that all three answer and have not been found to disagree.

        Raises:
            PartyUnavailable: one of them does not answer.
            PartiesDisagree: they did, and no session was opened since.
        """
        self._statuses()
        if self._disagreement:
            raise self._disagreement

    def end(self) -> None:
        """End the session; a party that cannot be told notices when the next is opened."""
        session, self._session = self._session, None
        if session is not None:
            self._close(session)

    def close(self) -> None:
        """End the session, and the threads."""
        self.end()
        self._pool.shutdown()

    def prepare(self, batch: str, templates: Sequence[QuantisedTemplate]) -> None:
        """Split templates among the parties, who keep their shares until the batch is settled.

        Raises:
            PartiesDisagree: two parties did not get the same component.
        """
        rows = [split(template) for template in templates]
        digests = self._each(
            lambda party: party.prepare(
                batch,
                [
                    self._seal(shares[party.index], party.index, batch, row)
                    for row, shares in enumerate(rows)
                ],
            )
        )
        for index, own in enumerate(digests):
            following = digests[(index + 1) % PARTIES]
            if [row.second for row in own] != [row.first for row in following]:
                self._stop("two parties received different shares of one template")

    def load(self, batch: str) -> None:
        """Make a prepared batch the probes of the steps that follow."""
        self._ask(lambda party, session, step: party.load_probes(session, step, batch))

    def load_sample(self) -> None:
        """Make templates of the gallery the probes of a histogram; see `PartyLike.load_sample`."""
        self._ask(lambda party, session, step: party.load_sample(session, step))

    def reached(self, least: int) -> BoolArray:
        """(p,) bool: see `PartyLike.reached`, as for the following ones."""
        return self._ask(lambda party, session, step: party.reached(session, step, least))

    def among(self, least: int) -> BoolArray:
        """(p, p) bool; a probe is not like itself."""
        near = self._ask(lambda party, session, step: party.among(session, step, least))
        return near & ~np.eye(len(near), dtype=bool)

    def reaching(self, least: int, rows: Sequence[int]) -> tuple[tuple[int, ...], ...]:
        """For each of some probes the numbers of the templates that it is like."""
        return self._ask(lambda party, session, step: party.reaching(session, step, least, rows))

    def nearest(self, row: int, sequences: Sequence[int]) -> int:
        """Which of some templates a probe is most like."""
        return self._ask(lambda party, session, step: party.nearest(session, step, row, sequences))

    def histogram(self, edges: Sequence[int]) -> CountArray:
        """Counts of all dot products by bucket; small buckets are 0."""
        return self._ask(lambda party, session, step: party.histogram(session, step, edges))

    def commit(self, commit: Commit) -> bool:
        """Tell all three what was decided; whether they all have it.

        It was decided: a party that cannot be told now is told when the next session is opened.
        """
        try:
            self._each(lambda party: party.commit(commit), session=self._session)
        except PrivateMatchingError:
            self.end()
            return False
        return True

    def discard(self, batch: str) -> None:
        """Drop a batch of which nothing was decided: now, or when the next session is opened."""
        try:
            self._each(lambda party: party.discard(batch))
        except PrivateMatchingError:
            self.end()

    def _stop(self, why: str) -> NoReturn:
        self.end()
        self._disagreement = PartiesDisagree(why)
        raise self._disagreement

    def _statuses(self) -> list[PartyStatus]:
        return self._each(lambda party: party.status())

    def _ask(self, ask: Callable[[PartyLike, str, int], A]) -> A:
        """Take the next step; the three answers must be one."""
        session = self.session
        self._step += 1
        step = self._step
        try:
            first, *others = self._each(lambda party: ask(party, session, step), session=session)
        except PrivateMatchingError:
            self.end()
            raise
        if not all(_same(first, other) for other in others):
            self._stop("the parties computed different answers: one of them is wrong")
        return first

    def _each(self, ask: Callable[[PartyLike], A], *, session: str | None = None) -> list[A]:
        """Ask all three at the same time, and wait for all of them also when one fails.

        Args:
            ask: a party.
            session: in which they wait for each other; ended at all when one of them fails.
        """
        answers = [self._pool.submit(ask, party) for party in self._parties]
        _, waiting = wait(answers, return_when=FIRST_EXCEPTION)
        if waiting and session is not None:
            self._close(session)
        errors = [error for answer in answers if (error := answer.exception())]
        if errors:
            raise max(errors, key=_gravity)
        return [answer.result() for answer in answers]

    def _close(self, session: str) -> None:
        with suppress(PrivateMatchingError):
            self._each(lambda party: party.close_session(session))


def _catch_up(party: PartyLike, commits: Sequence[Commit]) -> None:
    for commit in commits:
        party.commit(commit)


def _tidy(party: PartyLike, batches: Sequence[str]) -> None:
    for batch in batches:
        party.discard(batch)


def _gravity(error: BaseException) -> int:
    """What asking again does not mend comes first."""
    if isinstance(error, PartiesDisagree):
        return 1
    return 0 if isinstance(error, PrivateMatchingError) else 2


def _same(first: object, second: object) -> bool:
    if isinstance(first, np.ndarray):
        return np.array_equal(first, np.asarray(second))
    return first == second
