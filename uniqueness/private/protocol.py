"""What a party of the private matching can be asked, and the values that go to and fro.

Two kinds of parties answer it: `uniqueness.private.party.Party`, in this process, and
`uniqueness.private.remote_party.RemoteParty`, over the network.

A decision takes these steps, each at the three parties at the same time:

1. `open_session`, once: the engines meet, and load what the stores hold;
2. `prepare`: each party opens and keeps its shares of a batch;
3. `load_probes`, then `reached`, `among` and whatever else has to be known: each a numbered step
   of the session, so that the three never run different programs;
4. `commit`: what was decided becomes a part of the gallery; or `discard`.

A store outlives everything else. When a session ends, for whatever reason, nothing is lost: another
is opened, and the batch that was prepared is loaded again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]
CountArray = npt.NDArray[np.int64]

SAMPLE = 32  # templates of which a histogram may be asked
MAX_ROWS = 256  # shares in one batch
MAX_IDENTIFIER = 64  # characters of a batch's or a session's name


class ComponentDigests(NamedTuple):
    """SHA-256 of the two components that a party holds of one row, bound to batch and row.

    The party's second must be the next party's first: it is the same component.
    """

    first: bytes
    second: bytes


@dataclass(frozen=True)
class PartyStatus:
    """Where a party stands.

    Args:
        index: which of the three, 0 to 2.
        head: the last number given to a template or a removal that this party holds.
        digests: in hex, of the chains of the two components up to the head (`chain.py`): the second
            must be the first of the next party at the same head.
        templates: how many it holds; those erased do not count.
        session: that is open; None when there is none.
        prepared: batches that were neither committed nor discarded.
    """

    index: int
    head: int
    digests: tuple[str, str]
    templates: int
    session: str | None
    prepared: tuple[str, ...]


@dataclass(frozen=True)
class Added:
    """A prepared row becomes a template."""

    row: int


@dataclass(frozen=True)
class Erased:
    """All the templates of one person are erased."""

    sequences: tuple[int, ...]


Change = Added | Erased


@dataclass(frozen=True)
class Commit:
    """One step of the gallery, the same at the three parties.

    Args:
        batch: its rows that no change names are dropped; with no `Added` in `changes` it may be a
            batch that was never prepared.
        head: the last number before.
        changes: in order; the first gets the number head + 1, the next head + 2, and so on.
    """

    batch: str
    head: int
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Piece:
    """One component of a stretch of the gallery, on its way to a party that lacks it.

    Whoever passes it on can neither read nor change it.

    Args:
        sender, recipient: which of the three.
        after, until: the numbers in (after, until] are in it.
        sealed: to the recipient's key (HPKE, RFC 9180).
        signature: the sender's, over all the above (Ed25519).
    """

    sender: int
    recipient: int
    after: int
    until: int
    sealed: bytes = field(repr=False)
    signature: bytes = field(repr=False)


class PartyLike(Protocol):
    """One of the three parties. Safe to call from several threads; steps are done one by one.

    All methods raise `PartyUnavailable` where the party cannot be reached, and `PartyRefused` where
    the caller is not one whom it obeys or asks for nonsense.
    """

    @property
    def index(self) -> int:
        """Which of the three, 0 to 2."""
        ...

    def status(self) -> PartyStatus:
        """Where it stands."""
        ...

    def open_session(self, session: str) -> None:
        """Start the engine and load the gallery; ends the session that was open.

        To be called at the three parties at the same time, for each waits for the others.

        Args:
            session: a fresh name, the same at the three; at most `MAX_IDENTIFIER` of A-Z a-z 0-9 -.

        Raises:
            EngineFailed: the engines did not meet, or failed; retry with another name.
            SessionEnded: another session was asked for meanwhile.
        """
        ...

    def close_session(self, session: str) -> None:
        """End a session; nothing when it is not open (any more)."""
        ...

    def prepare(self, batch: str, sealed: Sequence[bytes]) -> tuple[ComponentDigests, ...]:
        """Open shares and keep them durably until the batch is committed or discarded.

        Needs no session. The same shares may be prepared again and again.

        Args:
            batch: a name that was never used before, of the form of a session's.
            sealed: one `sealed_shares.seal_share` a row, 1 to `MAX_ROWS`.

        Returns:
            For each row the digests of both components. Never to be shown to another party.

        Raises:
            ShareRefused: one of them is for another party, batch or row, was altered, or is of
                another length; or the row holds another share already; or the batch is settled.
        """
        ...

    def load_probes(self, session: str, step: int, batch: str) -> None:
        """Make a prepared batch the probes of the steps that follow.

        Raises (as does each step):
            SessionEnded: the session is not open: another was opened, or the engine failed.
            StepOutOfOrder: not the number after the last; steps count from 1.
            EngineFailed: the session is over; open another, prepared batches are still there.
            ShareMissing: the batch is not prepared.
        """
        ...

    def reached(self, session: str, step: int, least: int) -> BoolArray:
        """(p,) bool: whether any template's dot product with the probe is `least` or more."""
        ...

    def among(self, session: str, step: int, least: int) -> BoolArray:
        """(p, p) bool: which probes have a dot product of `least` or more with each other."""
        ...

    def reaching(
        self, session: str, step: int, least: int, rows: Sequence[int]
    ) -> tuple[tuple[int, ...], ...]:
        """For each of some probes the numbers of the templates that reach `least`, ascending.

        Tells who is like whom: only on the way to review, and for recovery.
        """
        ...

    def nearest(self, session: str, step: int, row: int, sequences: Sequence[int]) -> int:
        """Which of a few templates has the highest dot product with a probe; its number."""
        ...

    def load_sample(self, session: str, step: int) -> None:
        """Make `SAMPLE` templates, evenly spread over the gallery, the probes of a histogram.

        Nobody chooses them, and nothing but a histogram can be asked of them; and that not again
        before there are 1,000 more templates or removals, since two histograms that differ by one
        template tell of that one.

        Raises:
            PartyRefused: there are too few templates, or too few since the last time; and see
                `load_probes`.
        """
        ...

    def histogram(self, session: str, step: int, edges: Sequence[int]) -> CountArray:
        """Count the dot products of all probes with all templates.

        Buckets with fewer than 1,000 samples come out as 0. Once for each set of probes: two
        histograms of the same products tell by their difference what neither does.

        Args:
            edges: (b + 1,) strictly ascending; a bucket has its lower edge and not its upper one.

        Returns:
            (b,) int64.

        Raises:
            PartyRefused: a second one, or edges that are none; and see `load_probes`.
        """
        ...

    def commit(self, commit: Commit) -> None:
        """Take one step of the gallery, durably. Repeating it changes nothing.

        Needs no session; one that is open takes the change too, so it is to be called at the three
        parties at the same time. When the engine fails at that, the commit stands all the same, and
        the next step tells.

        Raises:
            PartyBehind: its head is before the commit's: repeat what it missed, or reshare.
            PartiesDisagree: it did something else at this place before.
            ShareMissing: a row was not prepared, or a template to erase never was.
        """
        ...

    def discard(self, batch: str) -> None:
        """Drop a prepared batch, for good; nothing when there is none."""
        ...

    def hand_over(self, recipient: int, after: int, until: int) -> Piece:
        """The component that another party lacks and this one has, of the next few numbers.

        Args:
            recipient: sealed to its pinned key; the two parties beside this one are possible.
            after: the recipient's head.
            until: no further than this, than this party's head, and than fits into one piece.

        Returns:
            A piece that ends at `after` when there is nothing after it; its chain can be checked.

        Raises:
            PartyBehind: this party's head is before `after`.
        """
        ...

    def take_over(self, pieces: Sequence[Piece]) -> None:
        """Continue this party's gallery with one piece of each of the other two, durably.

        Both must begin at this party's head and end at the same number.

        Raises:
            ResharingRefused: a piece is not the pinned party's, or not for this one, or they do not
                fit together; nothing was changed.
            PartiesDisagree: they do not continue what this party holds.
        """
        ...
