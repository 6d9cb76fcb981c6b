"""The indexes of a gallery in a sealed file, so that a start need not read every template.

A snapshot is never needed: where it is missing, damaged, of other models, or not of this
database's past, that is logged by its code and the database is read instead. What was committed
after its horizon is read from the database in any case.

It is written when the gallery is closed, and while it is open each time that a tenth of it has
changed, beside the decisions: the indexes are left as they are meanwhile, and what is committed
then lies after their horizon, where every decision looks in the database.
"""

import logging
import threading
from collections.abc import Mapping
from pathlib import Path

from uniqueness.errors import SnapshotDamaged, SnapshotMismatch, UniquenessError
from uniqueness.index import GalleryIndex
from uniqueness.lineage import Lineage
from uniqueness.sealed_file import Arrays, SealedArrays, read_sealed, write_sealed
from uniqueness.sealing import Keyring
from uniqueness.store import GalleryStore

MIN_CHANGES = 10_000  # reading as many from the database takes less than a second
_CHANGED_SHARE = 10  # a tenth: ten templates are written for one that is enrolled

_log = logging.getLogger(__name__)

Indexes = Mapping[str, GalleryIndex]  # by model


class Snapshot:
    """The snapshot of a gallery.

    Args:
        path: of the file; its directory is there.
        keyring: the template keys.
        store: the database that the indexes follow.
        min_changes: fewer are not worth writing it while the gallery is open.
    """

    def __init__(
        self,
        path: Path,
        keyring: Keyring,
        store: GalleryStore,
        *,
        min_changes: int = MIN_CHANGES,
    ) -> None:
        self._path = path
        self._keyring = keyring
        self._store = store
        self.min_changes = min_changes
        self.is_unsaved = False  # whether it could not be written the last time

    def load(self, indexes: Indexes) -> int:
        """Restore the indexes.

        Returns:
            The horizon: the indexes hold what was committed up to this sequence number. 0 where
            they cannot be restored; they are empty then.
        """
        try:
            return self._load(indexes)
        except FileNotFoundError:
            _log.info("there is no snapshot yet: the index is read from the database")
        except (UniquenessError, OSError) as error:
            code = error.code if isinstance(error, UniquenessError) else "gallery_snapshot_unread"
            _log.warning("[%s] %s: the index is read from the database", code, error)
        for index in indexes.values():
            index.clear()
        return 0

    def save(self, horizon: int, indexes: Indexes) -> None:
        """Write what the indexes hold, in the place of an older snapshot.

        Args:
            horizon: they hold what was committed up to this sequence number, and no more.
            indexes: not changed by anybody until this returns; read, not copied.

        Raises:
            OSError: it cannot be written; the older snapshot is still there.
            UniquenessError: the database cannot be read; likewise.
        """
        arrays = self._store.lineage(horizon).to_arrays()
        for number, index in enumerate(indexes.values()):
            state = index.state()
            arrays |= {f"{number}/{name}": array for name, array in state.items()}
        about = {
            "horizon": horizon,
            "models": list(indexes),
            "templates": [len(index) for index in indexes.values()],
        }
        write_sealed(self._path, SealedArrays(about, arrays), self._keyring)

    def _load(self, indexes: Indexes) -> int:
        content = read_sealed(self._path, self._keyring)
        horizon, models = int(content.about["horizon"]), list(content.about["models"])
        if sorted(models) != sorted(indexes):
            raise SnapshotMismatch(f"the snapshot is of {', '.join(models)}")
        self._check_past(horizon, content.arrays)
        for number, (model, count) in enumerate(
            zip(models, content.about["templates"], strict=True)
        ):
            indexes[model].restore(_named(f"{number}/", content.arrays))
            if len(indexes[model]) != count:
                raise SnapshotDamaged("the snapshot has not as many templates as it says")
        return horizon

    def _check_past(self, horizon: int, arrays: Arrays) -> None:
        """Refuse a snapshot that does not show the past of the database."""
        head = self._store.head().last_sequence
        if horizon > head:
            raise SnapshotMismatch(
                f"the snapshot knows of {horizon} changes, the database of {head}: it was "
                "restored from an older backup"
            )
        if not self._store.lineage(horizon).continues(Lineage.from_arrays(arrays)):
            raise SnapshotMismatch(
                "the snapshot was made from another database, or from changes that this one has "
                "lost since"
            )


def _named(prefix: str, arrays: Arrays) -> Arrays:
    return {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}


class SnapshotWriter:
    """Writes snapshots in a thread of its own when it is time.

    Used by one thread, which must not change the indexes as long as `is_writing`.

    Args:
        snapshot: where to.
        horizon: of the snapshot that is there; 0 for none.
    """

    def __init__(self, snapshot: Snapshot, horizon: int) -> None:
        self._snapshot = snapshot
        self._written = self._begun = horizon
        self._thread: threading.Thread | None = None

    @property
    def is_writing(self) -> bool:
        """Whether the indexes are being read."""
        return self._thread is not None and self._thread.is_alive()

    def write_if_due(self, horizon: int, indexes: Indexes) -> None:
        """Begin to write what the indexes hold up to the horizon, where much has changed."""
        templates = sum(map(len, indexes.values()))
        due = self._begun + max(self._snapshot.min_changes, templates // _CHANGED_SHARE)
        if horizon >= due and not self.is_writing:
            self._begun = horizon  # where it fails, it is tried again after as many changes
            self._thread = threading.Thread(
                target=self._write, args=(horizon, indexes), name="gallery-snapshot"
            )
            self._thread.start()

    def wait(self) -> None:
        """Return when nothing is being written."""
        if self._thread:
            self._thread.join()

    def write_last(self, horizon: int, indexes: Indexes) -> None:
        """Write what the indexes hold now, unless that is written already."""
        self.wait()
        if horizon != self._written:
            self._write(horizon, indexes)

    def _write(self, horizon: int, indexes: Indexes) -> None:
        try:
            self._snapshot.save(horizon, indexes)
        except Exception as error:  # decisions go on without it
            self._snapshot.is_unsaved = True
            code = error.code if isinstance(error, UniquenessError) else "gallery_snapshot_unsaved"
            _log.warning("[%s] no snapshot was written: %s", code, error, exc_info=True)
        else:
            self._written = horizon
            self._snapshot.is_unsaved = False
