"""Every index under a gallery on a real database, and what an index asks for that is not there."""

import sys
from contextlib import nullcontext
from functools import partial

import pytest

from tests.unit.uniqueness.conftest import KEY
from tests.unit.uniqueness.synthetic import DIMENSION, MODEL, THRESHOLDS, at_cosine, people, probe
from tests.unit.uniqueness.test_index_sharded import gpus_here
from uniqueness.decision import Decision
from uniqueness.errors import IndexUnavailable
from uniqueness.gallery import Gallery
from uniqueness.index_kind import IndexKind
from uniqueness.indexes import open_index
from uniqueness.sealing import Keyring
from uniqueness.store import GalleryStore


def open_kind(kind, store=None, **options):
    vectors_of = partial(store.vectors_of, dimension=DIMENSION) if store else lambda _: None
    return open_index(kind, DIMENSION, model=MODEL, vectors_of=vectors_of, **options)


@pytest.mark.parametrize(
    "kind", [IndexKind.FLAT, IndexKind.COMPACT, pytest.param("milvus", marks=pytest.mark.slow)]
)
def test_a_gallery_decides_the_same_over_every_index(sqlite_engine, kind, tmp_path):
    store = GalleryStore(sqlite_engine, Keyring(KEY))
    options = {"milvus_uri": str(tmp_path / "milvus.db")} if kind == "milvus" else {}
    crowd = people(12)
    with Gallery.open(store, {MODEL: open_kind(kind, store, **options)}, THRESHOLDS) as gallery:
        enrolled = [
            gallery.identify_and_enroll(probe(vector), f"first {number}")
            for number, vector in enumerate(crowd)
        ]
        assert {answer.decision for answer in enrolled} == {Decision.UNIQUE}
        gallery.remove(enrolled[0].person)
    with Gallery.open(store, {MODEL: open_kind(kind, store, **options)}, THRESHOLDS) as gallery:
        assert len(gallery) == 11
        for number, vector in enumerate(crowd[1:], 1):
            again = gallery.identify_and_enroll(probe(at_cosine(vector, 0.9)), f"again {number}")
            assert (again.decision, again.person) == (Decision.DUPLICATE, enrolled[number].person)
        assert gallery.identify(probe(crowd[0])).decision is Decision.UNIQUE


def test_milvus_without_an_address_is_refused():
    with pytest.raises(IndexUnavailable, match="PERSONHOOD_MILVUS_URI"):
        open_kind(IndexKind.MILVUS)


def test_milvus_without_its_client_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    monkeypatch.delitem(sys.modules, "uniqueness.milvus_index", raising=False)
    with pytest.raises(IndexUnavailable, match="extra `milvus`"):
        open_kind(IndexKind.MILVUS, milvus_uri="http://127.0.0.1:9")


def test_a_gpu_that_is_not_there_is_refused():
    with nullcontext() if gpus_here() else pytest.raises(IndexUnavailable, match="finds a GPU"):
        assert open_kind(IndexKind.GPU).dimension == DIMENSION
