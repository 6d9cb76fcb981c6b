"""An attester that stands for itself: its own key, its own copy of the log, its own tree.

It signs an update of the registry only when

1. the update is for its own registry, and starts from the registry's root;
2. its own tree comes to the same root;
3. every new commitment has an accepting entry in the log, up to the checkpoint that the update
   names, and was never posted before; every removal has an entry there too; and nobody joins while
   a member that had to leave before is in, so that no person has two wallets in one root;
4. it signed no other root in this place.

It follows the log by itself, and never one that contradicts what it holds. What it finds wrong it
keeps: a checkpoint that does not continue the log, signed by the log's own key, is proof.
"""

import threading
import time
from pathlib import Path
from typing import Protocol

from eth_account import Account
from eth_account.signers.local import LocalAccount

from distribution.attestation import RootUpdate, Signature
from distribution.chain import Chain
from distribution.deployment import REGISTRY, Deployment
from distribution.errors import AttestationRefused, ChainUnreachable
from distribution.signed_roots import SignedRoots
from identity_proofs.errors import IdentityProofsError
from identity_proofs.group import Group
from transparency.errors import LogInconsistent, TransparencyError
from transparency.mirror import LogCopy, LogFiles, Mirror
from transparency.note import VerifierKey


class LogSource(Protocol):
    """Who serves the log: a service over HTTP, or one in this process."""

    def download(self, start: int = 0) -> LogCopy:
        """The checkpoint, and everything from leaf `start` up to it."""
        ...


class IndependentAttester:
    """Signs what it has checked by itself; one request at a time.

    Args:
        key: 32-byte private key in hex.
        chain: an endpoint of its own.
        deployment: the registry that it attests for.
        log_key: the decision log's, from a source other than the log.
        source: of the log.
        home: where it keeps its copy of the log, and what it signed.

    Raises:
        AttesterKeyInvalid: what it signed cannot be read any more.
        TransparencyError: its copy of the log cannot be.
    """

    def __init__(
        self,
        key: str,
        chain: Chain,
        deployment: Deployment,
        log_key: VerifierKey,
        source: LogSource,
        home: Path,
    ) -> None:
        self._account: LocalAccount = Account.from_key(key)
        self._chain = chain
        self._deployment = deployment
        self._source = source
        self._home = home
        self._signed = SignedRoots(home / f"signed-{deployment.registry.lower()}.jsonl")
        self._files = LogFiles(home / "log")
        self._mirror = Mirror(log_key)
        if self._files.exists:
            self._mirror.extend(self._files.read())
        self._tree = _Tree()
        self._lock = threading.Lock()

    @property
    def address(self) -> str:
        return str(self._account.address)

    @property
    def log_key(self) -> VerifierKey:
        """Whose proposals it looks at."""
        return self._mirror.key

    @property
    def log_size(self) -> int:
        """Entries of the log that it checked."""
        return self._mirror.size

    def attest(self, update: RootUpdate, chain_id: int, registry: str) -> Signature:
        """Sign `update`.

        Raises:
            AttestationRefused: with a reason; see `distribution.attester`.
        """
        with self._lock:
            if (chain_id, registry) != (self._deployment.chain_id, self._deployment.registry):
                raise AttestationRefused("the update is for another registry", "wrong_registry")
            self._signed.require_free(update)
            size = self._follow_log(update.checkpoint)
            self._recompute(update, size)
            self._signed.remember(update)
            return update.message(chain_id, registry).sign(self._account)

    def _follow_log(self, checkpoint: bytes) -> int:
        """How many entries the checkpoint has, of the log that this attester holds.

        Raises:
            AttestationRefused: `log_unreachable`, `log_inconsistent` or `checkpoint_unknown`.
        """
        size = self._mirror.size_of(checkpoint)
        if size is None:
            self._sync()
            size = self._mirror.size_of(checkpoint)
        if size is None:
            raise AttestationRefused(
                "the update names no checkpoint of the decision log", "checkpoint_unknown"
            )
        return size

    def _sync(self) -> None:
        try:
            copy = self._source.download(self._mirror.size)
            self._mirror.extend(copy)
        except LogInconsistent as found:
            self._keep_evidence(copy.note)
            raise AttestationRefused(
                f"the decision log contradicts itself ({found.finding}: {found}); what it signed "
                f"is kept in {self._home}",
                "log_inconsistent",
            ) from found
        except TransparencyError as lost:
            raise AttestationRefused(f"the decision log: {lost}", "log_unreachable") from lost
        self._files.append(copy)

    def _keep_evidence(self, note: str) -> None:
        self._home.mkdir(parents=True, exist_ok=True)
        (self._home / f"contradiction-{time.time_ns()}.checkpoint").write_text(note)

    def _recompute(self, update: RootUpdate, size: int) -> None:
        """Come to the same root from the own tree, with members that the log knows.

        Raises:
            AttestationRefused: see above.
        """
        if self._tree.root != update.previous_root:
            self._tree = self._read_tree()
        if (self._tree.root, self._tree.size) != (update.previous_root, update.first_index):
            raise AttestationRefused(
                "the update does not start from the registry's root", "wrong_previous_root"
            )
        self._require_decisions(update, size)
        try:
            self._tree.apply(update.commitments, update.removals)
        except IdentityProofsError as impossible:
            self._tree = _Tree()  # half changed: the next time it is rebuilt
            raise AttestationRefused(str(impossible), "root_wrong") from impossible
        if self._tree.root != update.root:
            self._tree = _Tree()
            raise AttestationRefused("these members do not give the root of the update")
        self._require_order(update)

    def _require_decisions(self, update: RootUpdate, size: int) -> None:
        ledger, tree = self._mirror.ledger, self._tree
        for commitment in update.commitments:
            if commitment in tree.posted:
                raise AttestationRefused("a commitment was posted before", "member_twice")
            if ledger.admitted.get(commitment, size) >= size:
                raise AttestationRefused(
                    "a commitment has no accepting entry in the log", "member_without_decision"
                )
        for leaf in update.removals:
            gone = tree.leaves[leaf] if leaf < tree.size else None
            if gone is None or ledger.removed.get(gone, size) >= size:
                raise AttestationRefused(
                    f"the removal of leaf {leaf} has no entry in the log",
                    "removal_without_decision",
                )

    def _require_order(self, update: RootUpdate) -> None:
        """Of a recovery the old wallet leaves no later than the new one comes."""
        ledger = self._mirror.ledger
        newest = max((ledger.admitted[member] for member in update.commitments), default=-1)
        for commitment, index in ledger.removed.items():
            if index < newest and commitment in self._tree:
                self._tree = _Tree()
                raise AttestationRefused(
                    "a member joins while one that had to leave before is in", "removal_outstanding"
                )

    def _read_tree(self) -> "_Tree":
        """Rebuild the group from the chain alone.

        Raises:
            AttestationRefused: `chain_unreachable`, or `group_root_wrong`.
        """
        tree, registry = _Tree(), self._deployment.registry
        try:
            updates = self._chain.events(REGISTRY, registry, "RootUpdated", self._deployment.block)
        except ChainUnreachable as lost:
            raise AttestationRefused(str(lost), "chain_unreachable") from lost
        for update in updates:
            try:
                tree.apply(update["commitments"], update["removals"])
            except IdentityProofsError as wrong:
                raise AttestationRefused(str(wrong), "group_root_wrong") from wrong
            if tree.root != update["newRoot"]:
                raise AttestationRefused(
                    "the registry's events do not give the root that they name", "group_root_wrong"
                )
        return tree


class _Tree:
    """The group, and every commitment that was ever in it."""

    def __init__(self) -> None:
        self._group = Group()
        self.leaves: list[int] = []  # commitments, removed ones too
        self.posted: set[int] = set()

    @property
    def root(self) -> int:
        return self._group.root

    @property
    def size(self) -> int:
        return len(self.leaves)

    def __contains__(self, commitment: object) -> bool:
        return commitment in self._group

    def apply(self, commitments: tuple[int, ...], removals: tuple[int, ...]) -> None:
        self._group.insert_many(commitments)
        for leaf in removals:
            self._group.remove(leaf)
        self.leaves += commitments
        self.posted.update(commitments)
