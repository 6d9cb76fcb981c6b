"""The three parties as this service reaches them: their cards, and its own key."""

from personhood.errors import PartiesUnusable
from personhood.settings import Settings
from uniqueness.private.parties import Parties
from uniqueness.private.remote_party import RemoteParty
from uniqueness.private.sealed_shares import seal_share
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
