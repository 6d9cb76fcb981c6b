"""The gallery that nobody can read: the interface of `uniqueness.gallery.Gallery`, by shares."""

from typing import Self

from uniqueness.decision import ThresholdPolicy
from uniqueness.gallery import Gallery
from uniqueness.private.ledger import Ledger
from uniqueness.private.parties import Parties
from uniqueness.private.sequencer import PrivateSequencer
from uniqueness.requests import Compares

MAX_BATCH = 32  # probes that the parties compare at once


class PrivateGallery(Gallery):
    """The people enrolled, whose templates three parties hold in shares. Made by `share`.

    It decides as a `Gallery` of the same quantised templates does, with one difference: whom a
    duplicate is of, or a likeness, is not in the answer to `identify_and_enroll`, for that need
    not be known. `identify` and `candidates`, for recovery and review, do tell.
    """

    _parties: Parties

    @classmethod
    def share(
        cls,
        ledger: Ledger,
        parties: Parties,
        model: str,
        dimension: int,
        policy: ThresholdPolicy,
        *,
        max_batch: int = MAX_BATCH,
    ) -> Self:
        """Open a gallery over three parties; they need not be there yet.

        Args:
            ledger: the database; other galleries may use it, one after the other.
            parties: the three.
            model, dimension: of the templates.
            policy: thresholds on the cosine, above 0.
            max_batch: most requests decided in one computation.

        Raises:
            ModelMismatch: the database is of a gallery that is not shared, or of another model.
            GalleryUnavailable: the database failed.
        """
        sequencer = PrivateSequencer(ledger, parties, model, policy)
        compares = Compares((model,), ledger.label, {model: dimension}, policy)
        gallery = cls(ledger.store, sequencer, compares, max_batch)
        gallery._parties = parties
        return gallery._started()

    def require_working(self) -> None:
        """Check that decisions can be had now.

        Raises:
            GalleryClosed: it is closed.
            PartyUnavailable: a party does not answer.
            PartiesDisagree: they hold, or answered, what cannot all be right.
        """
        super().require_working()
        self._parties.require_working()
