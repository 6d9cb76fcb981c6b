"""The gallery that the settings ask for: the service's own, or one in shares at three parties."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

from sqlalchemy import Engine

from enrollment.manifest import Manifest
from enrollment.packs import ModelPack, load_pack
from personhood.errors import PartiesUnusable
from personhood.policy import DecisionRule
from personhood.settings import Settings
from uniqueness.gallery import Gallery
from uniqueness.index import GalleryIndex
from uniqueness.indexes import open_index
from uniqueness.matching import Matching
from uniqueness.sealing import Keyring
from uniqueness.snapshot import Snapshot
from uniqueness.store import GalleryStore


class Opened(NamedTuple):
    """A gallery, and whether its last snapshot could not be written."""

    gallery: Gallery
    is_snapshot_unsaved: Callable[[], bool]


def retiring_packs(settings: Settings) -> tuple[ModelPack, ...]:
    """The pack that people were enrolled with before, if they are to move to another."""
    if settings.retiring_pack is None:
        return ()
    return (load_pack(settings.retiring_pack, settings.models_dir()),)


@contextmanager
def opened_gallery(
    settings: Settings,
    engine: Engine,
    keyring: Keyring,
    packs: Sequence[Manifest],
    retiring: Sequence[Manifest],
    rule: DecisionRule,
) -> Iterator[Opened]:
    """The gallery of some model packs, open for as long as the block runs.

    Raises:
        PartiesUnusable: what only a gallery of the service's own can do was asked of the parties.
        UniquenessError: it cannot be read; see `Gallery.open`, `PrivateGallery.share`.
    """
    if settings.parties is not None:
        with shared_gallery(settings, engine, keyring, [*packs, *retiring], rule) as shared:
            yield Opened(shared, lambda: False)
        return
    store = GalleryStore(engine, keyring)
    snapshot = Snapshot(settings.snapshot_file(), keyring, store)
    with Gallery.open(
        store,
        {pack.model: _index(settings, store, pack) for pack in packs},
        rule.policy,
        fusion=rule.fusion,
        retiring=_matching(settings, store, retiring[0]) if retiring else None,
        snapshot=snapshot,
    ) as gallery:
        yield Opened(gallery, lambda: snapshot.is_unsaved)


def shared_gallery(
    settings: Settings,
    engine: Engine,
    keyring: Keyring,
    packs: Sequence[Manifest],
    rule: DecisionRule,
) -> Gallery:
    """Open a gallery whose templates the three parties of the settings hold.

    Raises:
        PartiesUnusable: several models, which the parties cannot fuse.
        TrustInvalid: the parties, or the service's key for them, cannot be read.
        UniquenessError: see `PrivateGallery.share`.
    """
    from personhood.parties import open_parties  # not needed by a service without them
    from uniqueness.private.gallery import PrivateGallery
    from uniqueness.private.ledger import Ledger

    if len(packs) != 1:
        raise PartiesUnusable(
            "the parties match by one model: name one in PERSONHOOD_MODEL_PACK, and none in "
            "PERSONHOOD_RETIRING_PACK"
        )
    [pack] = packs
    return PrivateGallery.share(
        Ledger(engine, keyring, pack.model),
        open_parties(settings, pack.embedding_size),
        pack.model,
        pack.embedding_size,
        rule.policy,
    )


def _matching(settings: Settings, store: GalleryStore, manifest: Manifest) -> Matching:
    return Matching({manifest.model: _index(settings, store, manifest)}, manifest.thresholds)


def _index(settings: Settings, store: GalleryStore, manifest: Manifest) -> GalleryIndex:
    """The index that the settings ask for, for the templates of one model."""
    return open_index(
        settings.index,
        manifest.embedding_size,
        model=manifest.model,
        vectors_of=partial(store.vectors_of, dimension=manifest.embedding_size),
        milvus_uri=settings.milvus_uri,
        milvus_token=settings.milvus_access(),
    )
