"""What a search finds out about a probe: the people it may be, and the answer that follows."""

from dataclasses import dataclass, field

from uniqueness.decision import Decision


@dataclass(frozen=True)
class Candidate:
    """An enrolled person whom a probe may show, all of their templates taken together.

    Args:
        person: the gallery's own number of the person, never given twice.
        score: by the person's best template of each model; a cosine in [-1, 1], or the fused
            log-likelihood ratio where the gallery fuses models.
        mean_score: the same by the mean of each model's cosines.
        templates: how many templates of the person were compared.
    """

    person: int
    score: float = field(repr=False)
    mean_score: float = field(repr=False)
    templates: int


@dataclass(frozen=True)
class Identification:
    """The answer about a probe.

    Args:
        decision: whether the person is in the gallery.
        person: the new person where UNIQUE, the best candidate where DUPLICATE or REVIEW; None
            where UNIQUE was found without enrolling. Not for the outside: it names a person.
    """

    decision: Decision
    person: int | None = field(repr=False)
