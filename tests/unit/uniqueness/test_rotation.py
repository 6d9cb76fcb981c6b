"""Keys are rotated beside running galleries, and nothing is lost wherever a rotation dies."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from tests.unit.uniqueness.synthetic import DIMENSION, MODEL, THRESHOLDS, people, probe
from uniqueness import rotation
from uniqueness.decision import Decision
from uniqueness.errors import RecordCorrupted, WrongKey
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.gallery import Gallery
from uniqueness.key_files import KeyFiles
from uniqueness.rotation import key_use, reseal
from uniqueness.schema import TemplateRow, VerdictRow
from uniqueness.sealing import Keyring
from uniqueness.store import GalleryStore

OLD, NEW = b"o" * 32, b"n" * 32
BOTH = Keyring(NEW, [OLD])
PEOPLE = people(30)


@pytest.fixture(autouse=True)
def small_transactions(monkeypatch):
    monkeypatch.setattr(rotation, "_BATCH", 4)


def open_gallery(engine, keyring):
    return Gallery.open(
        GalleryStore(engine, keyring), {MODEL: FaissFlatIndex(DIMENSION)}, THRESHOLDS
    )


def enroll(gallery, vectors, first=0):
    def enroll_one(number, vector):
        return gallery.identify_and_enroll(probe(vector), str(number)).person

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(enroll_one, range(first, first + len(vectors)), vectors))


def rows(engine, table):
    with engine.connect() as connection:
        return connection.execute(select(table).order_by(*table.__table__.primary_key)).all()


def test_every_record_is_sealed_anew_and_nothing_else_changes(engine):
    with open_gallery(engine, Keyring(OLD)) as gallery:
        persons = enroll(gallery, PEOPLE[:10])
        gallery.remove(persons[3])
    before = rows(engine, TemplateRow)
    progress = []
    assert reseal(engine, BOTH, progress.append) == 9 + 10
    assert progress == [4, 4, 1, 4, 4, 2]
    after = rows(engine, TemplateRow)
    assert [row[:3] for row in after] == [row[:3] for row in before]
    assert key_use(engine).key_ids == {BOTH.key_id}
    with open_gallery(engine, Keyring(NEW)) as gallery:  # the old key is destroyed
        assert gallery.identify(probe(PEOPLE[0])).person == persons[0]
        assert gallery.identify(probe(PEOPLE[3])).decision is Decision.UNIQUE
        assert gallery.verdict("0").person == persons[0]


def test_it_goes_on_where_it_died(engine):
    with open_gallery(engine, Keyring(OLD)) as gallery:
        persons = enroll(gallery, PEOPLE[:10])

    class PowerCut(Exception):
        pass

    def cut(_):
        raise PowerCut

    with pytest.raises(PowerCut):
        reseal(engine, BOTH, cut)
    assert key_use(engine).by_table["templates"] == {BOTH.key_id: 4, Keyring(OLD).key_id: 6}
    with open_gallery(engine, BOTH) as gallery:
        assert [gallery.identify(probe(vector)).person for vector in PEOPLE[:10]] == persons
    assert reseal(engine, BOTH) == 16
    assert reseal(engine, BOTH) == 0


def test_a_record_that_does_not_open_is_left_as_it_is(engine):
    with open_gallery(engine, Keyring(OLD)) as gallery:
        enroll(gallery, PEOPLE[:3])
    with pytest.raises(WrongKey, match=Keyring(OLD).key_id):
        reseal(engine, Keyring(NEW))
    with engine.begin() as connection:
        connection.execute(update(VerdictRow).values(ciphertext=b"x" * 24))
    damaged = rows(engine, VerdictRow)
    with pytest.raises(RecordCorrupted):
        reseal(engine, BOTH)
    assert rows(engine, VerdictRow) == damaged


def test_a_running_gallery_needs_no_restart(engine, tmp_path):
    """Two processes with key files: one decides all the time, the other rotates."""
    path = tmp_path / "template.key"
    rotating = KeyFiles(path)
    with open_gallery(engine, KeyFiles(path)) as gallery, ThreadPoolExecutor(1) as pool:
        persons = enroll(gallery, PEOPLE[:10])
        later = pool.submit(enroll, gallery, PEOPLE[10:], 10)
        rotating.replace_active()
        reseal(engine, rotating)
        persons += later.result()
        assert key_use(engine).key_ids == {rotating.key_id}
        for retired in rotating.retired_directory.iterdir():
            retired.unlink()
        assert [gallery.identify(probe(vector)).person for vector in PEOPLE] == persons
    with open_gallery(engine, KeyFiles(path)) as gallery:
        assert [gallery.identify(probe(vector)).person for vector in PEOPLE] == persons


def test_what_is_sealed_with_which_key_is_counted(engine):
    with open_gallery(engine, Keyring(OLD)) as gallery:
        persons = enroll(gallery, PEOPLE[:3])
        gallery.remove(persons[0])
    use = key_use(engine)
    old = Keyring(OLD).key_id
    assert use.by_table == {"templates": {old: 2}, "verdicts": {old: 3}}
    assert use.records(old) == 5
    assert use.records(BOTH.key_id) == 0
