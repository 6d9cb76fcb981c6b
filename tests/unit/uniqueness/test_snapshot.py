"""Starting from a snapshot is starting from the database, sooner; or it does not happen."""

import shutil
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import numpy as np
import pytest
from sqlalchemy import create_engine

from tests.unit.uniqueness.synthetic import DIMENSION, MODEL, THRESHOLDS, at_cosine, people, probe
from uniqueness import snapshot as snapshot_module
from uniqueness.decision import Decision
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.gallery import Gallery
from uniqueness.sealing import Keyring
from uniqueness.snapshot import MIN_CHANGES, Snapshot
from uniqueness.store import GalleryStore

KEY = b"k" * 32
PEOPLE = people(50)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "gallery.snapshot"


@pytest.fixture
def open_with_snapshot(open_gallery, engine, path):
    def open_it(key=KEY, min_changes=MIN_CHANGES, **options):
        keyring = Keyring(key)
        snapshot = Snapshot(path, keyring, GalleryStore(engine, keyring), min_changes=min_changes)
        return open_gallery(key=key, snapshot=snapshot, **options)

    return open_it


@pytest.fixture
def templates_read():
    """How many sealed templates were read: the start's own count of them."""
    opened = []
    real = Keyring.open

    def counting(self, record, *, context):
        opened.append(context)
        return real(self, record, context=context)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Keyring, "open", counting)
        yield opened


def enroll(gallery, vectors, first=0):
    """Enrol people at the same time; returns the person of each."""

    def enroll_one(number, vector):
        return gallery.identify_and_enroll(probe(vector), str(number)).person

    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(enroll_one, range(first, first + len(vectors)), vectors))


def assert_holds(gallery, vectors, persons):
    for vector, person in zip(vectors, persons, strict=True):
        found = gallery.identify(probe(vector))
        assert (found.decision, found.person) == (Decision.DUPLICATE, person)


def index_of(gallery):
    return gallery._sequencer._replica.indexes[MODEL]


def test_a_closed_gallery_starts_from_its_snapshot(open_with_snapshot, path, caplog):
    with open_with_snapshot() as gallery:
        persons = enroll(gallery, PEOPLE)
    assert path.stat().st_mode & 0o777 == 0o600
    with open_with_snapshot() as gallery:
        assert_holds(gallery, PEOPLE, persons)
    assert "gallery_snapshot" not in caplog.text


def test_a_start_reads_only_what_came_after_the_snapshot(
    open_with_snapshot, open_gallery, templates_read, monkeypatch
):
    monkeypatch.setattr("uniqueness.lineage._LENGTH", 4)
    with open_with_snapshot() as gallery:
        persons = enroll(gallery, PEOPLE[:40])
    with open_gallery() as gallery:  # without a snapshot: as another process would
        persons += enroll(gallery, PEOPLE[40:], first=40)
        gallery.remove(persons[0])
    templates_read.clear()
    with open_with_snapshot() as gallery:
        assert len(templates_read) == 4 + 10
        assert_holds(gallery, PEOPLE[1:], persons[1:])
        assert gallery.identify(probe(PEOPLE[0])).decision is Decision.UNIQUE


def test_removals_before_and_after_the_snapshot_are_kept(open_with_snapshot, open_gallery, caplog):
    with open_with_snapshot() as gallery:
        persons = enroll(gallery, PEOPLE[:10])
        gallery.remove(persons[2])
    with open_gallery() as gallery:
        gallery.remove(persons[9])  # within the lineage: erased since, and that is no mismatch
    with open_with_snapshot() as gallery:
        assert len(index_of(gallery)) == 8
        assert gallery.identify(probe(PEOPLE[2])).decision is Decision.UNIQUE
        assert gallery.identify(probe(PEOPLE[9])).decision is Decision.UNIQUE
    assert "gallery_snapshot" not in caplog.text


def assert_rebuilt(open_with_snapshot, caplog, code, vectors, persons, **options):
    caplog.clear()
    with open_with_snapshot(**options) as gallery:
        assert f"[{code}]" in caplog.text
        assert len(index_of(gallery)) == len(vectors)
        assert_holds(gallery, vectors, persons)


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda content: content[: len(content) // 2], "gallery_snapshot_damaged"),
        (lambda content: content[:-1] + bytes([content[-1] ^ 1]), "gallery_snapshot_damaged"),
        (lambda content: content[:0], "gallery_snapshot_format_unknown"),
        (lambda content: b"another" + content, "gallery_snapshot_format_unknown"),
    ],
)
def test_a_damaged_snapshot_is_told_and_rebuilt(open_with_snapshot, path, caplog, damage, code):
    with open_with_snapshot() as gallery:
        persons = enroll(gallery, PEOPLE[:20])
    path.write_bytes(damage(path.read_bytes()))
    assert_rebuilt(open_with_snapshot, caplog, code, PEOPLE[:20], persons)
    with open_with_snapshot() as gallery:  # the rebuilt index was written anew
        caplog.clear()
        assert_holds(gallery, PEOPLE[:20], persons)


def test_a_snapshot_of_a_lost_key_is_told_and_rebuilt(open_with_snapshot, path, caplog, tmp_path):
    with open_with_snapshot() as gallery:
        persons = enroll(gallery, PEOPLE[:5])
    engine = create_engine(f"sqlite:///{tmp_path}/other.db")
    other = Keyring(b"o" * 32)
    Snapshot(path, other, GalleryStore(engine, other)).save(0, {MODEL: FaissFlatIndex(DIMENSION)})
    engine.dispose()
    assert_rebuilt(open_with_snapshot, caplog, "template_key_wrong", PEOPLE[:5], persons)


def test_a_snapshot_of_another_model_is_told_and_rebuilt(open_with_snapshot, path, caplog, engine):
    with open_with_snapshot() as gallery:
        persons = enroll(gallery, PEOPLE[:5])
    keyring = Keyring(KEY)
    index = FaissFlatIndex(DIMENSION)
    Snapshot(path, keyring, GalleryStore(engine, keyring)).save(5, {"another": index})
    assert_rebuilt(open_with_snapshot, caplog, "gallery_snapshot_mismatch", PEOPLE[:5], persons)


def test_an_index_of_another_kind_is_told_and_rebuilt(open_with_snapshot, path, caplog, engine):
    with open_with_snapshot() as gallery:
        persons = enroll(gallery, PEOPLE[:5])
    keyring = Keyring(KEY)
    narrow = FaissFlatIndex(DIMENSION // 2)
    Snapshot(path, keyring, GalleryStore(engine, keyring)).save(5, {MODEL: narrow})
    assert_rebuilt(open_with_snapshot, caplog, "index_state_invalid", PEOPLE[:5], persons)


class TestRestoredBackup:
    """The database is restored from a backup that is older than the snapshot."""

    @pytest.fixture
    def restored(self, tmp_path, path):
        """A gallery whose last ten people are in the snapshot and no more in the database."""
        database = tmp_path / "gallery.db"
        engine = create_engine(f"sqlite:///{database}")
        keyring = Keyring(KEY)

        def open_it():
            store = GalleryStore(engine, keyring)
            return Gallery.open(
                store,
                {MODEL: FaissFlatIndex(DIMENSION)},
                THRESHOLDS,
                snapshot=Snapshot(path, keyring, store),
            )

        with open_it() as gallery:
            enroll(gallery, PEOPLE[:20])
        with closing(sqlite3.connect(database)) as connection:
            connection.execute(f"VACUUM INTO '{tmp_path}/backup.db'")
        with open_it() as gallery:
            enroll(gallery, PEOPLE[20:30], first=20)
        engine.dispose()
        for file in tmp_path.glob("gallery.db*"):
            file.unlink()
        shutil.copy(tmp_path / "backup.db", database)
        yield open_it
        engine.dispose()

    def test_a_horizon_beyond_the_database_is_noticed(self, restored, caplog):
        with restored() as gallery:
            assert "[gallery_snapshot_mismatch]" in caplog.text
            assert len(index_of(gallery)) == 20
            assert gallery.identify(probe(PEOPLE[25])).decision is Decision.UNIQUE

    def test_a_database_that_went_on_otherwise_is_noticed(self, restored, caplog, path):
        saved = path.read_bytes()
        with restored() as gallery:
            # By other people, and further than the snapshot knows.
            persons = enroll(gallery, PEOPLE[30:45], first=100)
        path.write_bytes(saved)
        caplog.clear()
        with restored() as gallery:
            assert "[gallery_snapshot_mismatch]" in caplog.text
            assert len(index_of(gallery)) == 35
            assert_holds(gallery, PEOPLE[30:45], persons)
            assert gallery.identify(probe(PEOPLE[25])).decision is Decision.UNIQUE


def test_a_snapshot_is_written_each_time_that_enough_has_changed(open_with_snapshot, path):
    gallery = open_with_snapshot(min_changes=10)
    enroll(gallery, PEOPLE[:9])
    assert not path.exists()
    enroll(gallery, PEOPLE[9:10], first=9)
    gallery.identify(probe(PEOPLE[0]))  # waits for it
    first = path.read_bytes()
    enroll(gallery, PEOPLE[10:15], first=10)
    gallery.identify(probe(PEOPLE[0]))
    assert path.read_bytes() == first
    enroll(gallery, PEOPLE[15:25], first=15)
    gallery.identify(probe(PEOPLE[0]))
    assert path.read_bytes() != first


def test_people_are_decided_while_a_snapshot_is_written(open_with_snapshot, monkeypatch, caplog):
    writing, go_on = threading.Event(), threading.Event()
    real = snapshot_module.write_sealed

    def slow(*arguments):
        writing.set()
        assert go_on.wait(10)
        real(*arguments)

    monkeypatch.setattr(snapshot_module, "write_sealed", slow)
    with open_with_snapshot(min_changes=5) as gallery:
        persons = enroll(gallery, PEOPLE[:6])
        assert writing.wait(10)
        held = len(index_of(gallery))
        persons += enroll(gallery, PEOPLE[6:20], first=6)  # into the database, not the index
        assert len(index_of(gallery)) == held
        again = [
            gallery.identify_and_enroll(probe(at_cosine(vector, 0.95)), f"again/{number}")
            for number, vector in enumerate(PEOPLE[:20])
        ]
        assert [one.person for one in again] == persons
        assert {one.decision for one in again} == {Decision.DUPLICATE}
        gallery.remove(persons[7])
        assert gallery.identify_and_enroll(probe(PEOPLE[7]), "returns").decision is Decision.UNIQUE
        go_on.set()
        assert_holds(gallery, PEOPLE[8:20], persons[8:20])
        assert len(index_of(gallery)) == 20
    with open_with_snapshot() as gallery:
        assert_holds(gallery, PEOPLE[8:20], persons[8:20])
        assert len(index_of(gallery)) == 20
    assert "gallery_snapshot" not in caplog.text


def test_a_snapshot_that_cannot_be_written_stops_nothing(open_with_snapshot, path, caplog):
    path.parent.joinpath("gallery.snapshot").mkdir()
    with open_with_snapshot() as gallery:
        persons = enroll(gallery, PEOPLE[:5])
        assert_holds(gallery, PEOPLE[:5], persons)
    assert "[gallery_snapshot_unread]" in caplog.text
    assert "[gallery_snapshot_unsaved]" in caplog.text


def test_nothing_is_written_where_nothing_changed(open_with_snapshot, path):
    with open_with_snapshot() as gallery:
        enroll(gallery, PEOPLE[:5])
    written = path.stat().st_mtime_ns
    with open_with_snapshot():
        pass
    assert path.stat().st_mtime_ns == written


def test_vectors_come_back_to_the_last_bit(open_with_snapshot):
    with open_with_snapshot() as gallery:
        enroll(gallery, PEOPLE)
        before = {name: array.copy() for name, array in index_of(gallery).state().items()}
    with open_with_snapshot() as gallery:
        after = index_of(gallery).state()
    for name, array in before.items():
        assert np.array_equal(array, after[name])
