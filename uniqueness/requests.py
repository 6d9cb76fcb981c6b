"""What a gallery is asked, and what decides it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from uniqueness.candidates import Candidate, Identification
from uniqueness.decision import ThresholdPolicy
from uniqueness.errors import UniquenessError
from uniqueness.template import Probe


@dataclass(frozen=True, eq=False)
class Enroll:
    """Decide about a probe, and enrol the person if new.

    Args:
        despite: people whom somebody found to be others, however alike; all else holds.
        hasty: do not wait for the disk; see `uniqueness.gallery.Gallery.identify_and_enroll`.
    """

    probe: Probe
    request_id: str
    despite: frozenset[int] = frozenset()
    hasty: bool = False


@dataclass(frozen=True, eq=False)
class Identify:
    """Find whom a probe may show, and change nothing."""

    probe: Probe


@dataclass(frozen=True, eq=False)
class AddTemplate:
    """Give an enrolled person the templates of another probe."""

    person: int
    probe: Probe
    request_id: str


@dataclass(frozen=True, eq=False)
class Remove:
    """Remove a person."""

    person: int


@dataclass(frozen=True)
class Findings:
    """The answer to `Identify`."""

    identification: Identification
    candidates: tuple[Candidate, ...] = field(repr=False)


Request = Enroll | Identify | AddTemplate | Remove
Answer = Identification | Findings | UniquenessError | None


@dataclass(frozen=True)
class Compares:
    """What a gallery compares.

    Args:
        models: of which everybody who is enrolled has a template each.
        label: these models as the counts of decisions name them.
        dimensions: how many values a template has, by model; also of models that are retired.
        policy: thresholds.
    """

    models: tuple[str, ...]
    label: str
    dimensions: Mapping[str, int]
    policy: ThresholdPolicy


class Decider(Protocol):
    """What decides the batches of a gallery, one after the other.

    `uniqueness.sequencer.Sequencer` compares templates that it can see,
    `uniqueness.private.sequencer.PrivateSequencer` has three parties compare shares of them.
    """

    @property
    def models(self) -> tuple[str, ...]:
        """The models of which a probe has a template each."""
        ...

    @property
    def size(self) -> int:
        """Templates that a probe is compared with."""
        ...

    @property
    def saturations(self) -> int:
        """See `uniqueness.status.GalleryStatus.saturations`."""
        ...

    def process(self, requests: Sequence[Request]) -> list[Answer]:
        """Answer requests that came at the same time, each by its value or its error.

        Raises:
            UniquenessError: nothing is known of the decisions; asked again, each request gets
                the answer that was committed, or is decided then.
        """
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...
