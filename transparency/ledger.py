"""What the log says of each commitment: when it was admitted, when it was to leave."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from transparency.entry import ADMITTING, REMOVING, Entry, Opening
from transparency.errors import LogInconsistent


@dataclass
class Ledger:
    """The commitments of a log.

    Args:
        admitted: the index of the entry by which each became a member.
        removed: the index of the entry by which each was to leave.
        hours: of those entries, Unix seconds, by index.
    """

    admitted: dict[int, int] = field(default_factory=dict, repr=False)
    removed: dict[int, int] = field(default_factory=dict, repr=False)
    hours: dict[int, int] = field(default_factory=dict, repr=False)

    def follow(self, index: int, entry: Entry, openings: Mapping[int, Opening]) -> None:
        """Take the next entry of the log.

        Args:
            index: its place.
            entry: itself.
            openings: by index.

        Raises:
            LogInconsistent: `opening_missing`, `opening_wrong`, `admitted_twice`,
                `removed_twice`, `removed_unknown`.
        """
        opening = openings.get(index)
        if opening is not None and opening.digest != entry.commitment:
            raise LogInconsistent("opening_wrong", f"the opening of entry {index} does not open it")
        if entry.kind not in ADMITTING | REMOVING:
            return
        if opening is None:
            raise LogInconsistent("opening_missing", f"entry {index} does not say of which wallet")
        commitment = opening.commitment
        before = self.admitted if entry.kind in ADMITTING else self.removed
        if commitment in before:
            code = "admitted_twice" if entry.kind in ADMITTING else "removed_twice"
            message = f"entries {before[commitment]} and {index} are of one wallet"
            raise LogInconsistent(code, message)
        if entry.kind in REMOVING and commitment not in self.admitted:
            raise LogInconsistent(
                "removed_unknown", f"entry {index} removes who never was admitted"
            )
        before[commitment] = index
        self.hours[index] = entry.hour
