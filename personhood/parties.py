"""The three parties as this service reaches them: their cards, and its own key."""

from dataclasses import dataclass

import numpy as np

from enrollment.packs import read_manifests
from personhood.database import open_database
from personhood.errors import PartiesUnusable
from personhood.keys import template_keys
from personhood.policy import decision_rule
from personhood.settings import Settings
from uniqueness.private.ledger import Ledger
from uniqueness.private.parties import Parties
from uniqueness.private.remote_party import RemoteParty
from uniqueness.private.sealed_shares import seal_share
from uniqueness.private.sequencer import PrivateSequencer
from uniqueness.private.shares import Share
from uniqueness.private.trust import Circle, tls_identity


def open_parties(settings: Settings, dimension: int) -> Parties:
    """The parties of PERSONHOOD_PARTIES; nothing is asked of them yet.

    Args:
        settings: name the file.
        dimension: values of a template.

    Raises:
        TrustInvalid: the file, or the service's key for the parties, cannot be read.
        PartiesUnusable: they match templates of another length.
    """
    if settings.parties is None:
        raise PartiesUnusable("set PERSONHOOD_PARTIES to the parties' `parties.json`")
    circle = Circle.read(settings.parties.expanduser())
    if circle.dimension != dimension:
        raise PartiesUnusable(
            f"the parties match templates of {circle.dimension} values, the model pack makes "
            f"{dimension}: start parties for this pack, or set PERSONHOOD_MODEL_PACK"
        )
    identity = tls_identity(settings.coordinator_dir())

    def seal(share: Share, party: int, batch: str, row: int) -> bytes:
        key = circle.parties[party].public_seal_key()
        return seal_share(share, key, party=party, batch=batch, row=row)

    return Parties([RemoteParty(card, identity) for card in circle.parties], seal)


@dataclass(frozen=True)
class ScoreCounts:
    """How many comparisons of two enrolled templates fell into each bucket of cosines.

    Args:
        edges: (b + 1,) ascending; a bucket has its lower edge and not its upper one.
        counts: b; 0 where there are fewer than 1,000.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]


def count_scores(settings: Settings, buckets: int) -> ScoreCounts:
    """Have the parties count the cosines of a sample of templates with all of them.

    A running service goes on: it opens its next session by itself.

    Raises:
        PartyRefused: too few templates, or too few since the last time.
        PersonhoodError, UniquenessError: the parties, the database or the pack cannot be had.
    """
    [pack] = read_manifests(settings.model_pack)
    engine = open_database(settings)
    sequencer = PrivateSequencer(
        Ledger(engine, template_keys(settings), pack.model),
        open_parties(settings, pack.embedding_size),
        pack.model,
        decision_rule(settings, [pack]).policy,
    )
    edges = tuple(float(edge) for edge in np.linspace(-1.0, 1.0, buckets + 1))
    try:
        return ScoreCounts(edges, tuple(sequencer.count_scores(edges).tolist()))
    finally:
        sequencer.close()
        engine.dispose()
