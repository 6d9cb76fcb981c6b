"""The group as the chain's events tell it, and which commitments ever were in it."""

from distribution.record import ChainRecord, Update
from identity_proofs.errors import IdentityProofsError
from identity_proofs.group import Group


class Finding(Exception):
    """What an audit found wrong.

    Attributes:
        code: stable; see `distribution.public_audit`.
    """

    def __init__(self, code: str, explanation: str) -> None:
        super().__init__(explanation)
        self.code = code


class PostedMembers:
    """Rebuilds the group, update by update.

    Attributes:
        posted: the leaf of each commitment that ever was a member.
        joined, removed: the number of the update by which it came, and left.
        at_root: how many members the group had at each root.
    """

    def __init__(self) -> None:
        self.posted: dict[int, int] = {}
        self.joined: dict[int, int] = {}
        self.removed: dict[int, int] = {}
        self.at_root: dict[int, int] = {}
        self._leaves: list[int] = []  # commitments, removed ones too
        self._group = Group()

    @property
    def root(self) -> int:
        return self._group.root

    @property
    def count(self) -> int:
        """How many members there are."""
        return len(self.posted) - len(self.removed)

    def follow(self, record: ChainRecord) -> None:
        """Apply every update, and compare with what the registry says.

        Raises:
            Finding: `group_root_wrong`, `member_count_wrong` or `member_twice`.
        """
        for number, update in enumerate(record.updates):
            self._apply(update, number)
        if record.root != self.root:
            raise Finding("group_root_wrong", "the members posted do not give the registry's root")
        if record.size != self._group.size:
            raise Finding(
                "member_count_wrong",
                f"the registry counts {record.size} leaves, {self._group.size} were posted",
            )

    def _apply(self, update: Update, number: int) -> None:
        if update.first_index != self._group.size:
            raise Finding(
                "member_count_wrong",
                f"an update begins at leaf {update.first_index}, {self._group.size} were posted",
            )
        for leaf, commitment in enumerate(update.commitments, update.first_index):
            if commitment in self.posted:
                raise Finding("member_twice", f"leaves {self.posted[commitment]} and {leaf}")
            self.posted[commitment], self.joined[commitment] = leaf, number
            self._leaves.append(commitment)
        try:
            self._group.insert_many(update.commitments)
            for leaf in update.removals:
                self._group.remove(leaf)
                self.removed[self._leaves[leaf]] = number
        except IdentityProofsError as impossible:
            raise Finding("group_root_wrong", str(impossible)) from impossible
        if update.root != self.root:
            raise Finding(
                "group_root_wrong",
                f"the leaves up to {self._group.size} do not give the root posted with them",
            )
        self.at_root[update.root] = self.count
