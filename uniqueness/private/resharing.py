"""A party that lost its store, or is behind, gets its shares back from the other two.

Party r holds the components r and r + 1 (modulo 3). The party before it holds r as its second, the
party after it r + 1 as its first. Each hands over that one component, stretch by stretch, sealed
to r's pinned key and signed with its own. Nobody on the way can read a piece, neither of the two
learns anything, and r learns what it knew before.

r recomputes the chain of digests (`chain.py`) over what it is given, and takes it only if it comes
to what the sender's chain comes to.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from cryptography.exceptions import InvalidSignature, InvalidTag
from pydantic import BaseModel, ConfigDict, ValidationError

from uniqueness.errors import PartiesDisagree, ResharingRefused
from uniqueness.private.chain import component_digest
from uniqueness.private.party_entries import ChainHead, Entry, RemovalEntry, TemplateEntry
from uniqueness.private.protocol import ComponentDigests, PartyLike, Piece
from uniqueness.private.sealed_shares import SUITE
from uniqueness.private.shares import PARTIES, RING_BYTES, Share
from uniqueness.private.trust import PartyCard, PartyKeys

PIECE_NUMBERS: Final = 512  # of the gallery in one piece, at most
_LENGTH_BYTES: Final = 4  # of the heading's length


class _Template(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    batch: str
    row: int
    digest: str
    there: bool


class _Removal(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    erased: list[int]


class _Heading(BaseModel):
    """What a piece holds beside components: the chain before and after it, and its entries."""

    model_config = ConfigDict(extra="forbid", strict=True)
    before: str
    after: str
    entries: list[_Template | _Removal]


@dataclass(frozen=True)
class _Opened:
    """A piece's content; a component is None where it was erased."""

    heading: _Heading
    components: list[bytes | None] = field(repr=False)


def place_of(sender: int, recipient: int) -> int:
    """Which of its two components a sender hands over: 0, its own, or 1, the next."""
    return 1 if (sender + 1) % PARTIES == recipient else 0


def make_piece(
    keys: PartyKeys,
    recipient: PartyCard,
    before: ChainHead,
    after: ChainHead,
    entries: Sequence[Entry],
) -> Piece:
    """Seal and sign one component of the entries between two heads of the sender."""
    sender, place = keys.card.index, place_of(keys.card.index, recipient.index)
    told: list[_Template | _Removal] = []
    components = []
    for entry in entries:
        if isinstance(entry, RemovalEntry):
            told.append(_Removal(erased=list(entry.erased)))
            continue
        digest, there = entry.digests[place].hex(), entry.share is not None
        told.append(_Template(batch=entry.batch, row=entry.row, digest=digest, there=there))
        if entry.share is not None:
            components.append(entry.share.components[place].astype("<u8").tobytes())
    heading = _Heading(
        before=before.chains[place].hex(), after=after.chains[place].hex(), entries=told
    )
    content = heading.model_dump_json().encode()
    plain = len(content).to_bytes(_LENGTH_BYTES, "big") + content + b"".join(components)
    bounds = sender, recipient.index, before.sequence, after.sequence
    sealed = SUITE.encrypt(plain, recipient.public_seal_key(), _label(*bounds))
    signature = keys.signing.sign(_label(*bounds) + hashlib.sha256(sealed).digest())
    return Piece(*bounds, sealed, signature)


def open_pieces(
    keys: PartyKeys,
    parties: Sequence[PartyCard],
    dimension: int,
    head: ChainHead,
    pieces: Sequence[Piece],
) -> list[Entry]:
    """Put the entries that follow on a head together from one piece of each of the other two.

    Raises:
        ResharingRefused: a piece is not theirs, or not for this party and head, or was altered.
        PartiesDisagree: the two, or they and this party, hold different things.
    """
    index = keys.card.index
    ordered = sorted(pieces, key=lambda piece: (piece.sender + 1) % PARTIES != index)
    if [piece.sender for piece in ordered] != [(index - 1) % PARTIES, (index + 1) % PARTIES]:
        raise ResharingRefused("give one piece of each of the two other parties")
    if {(piece.recipient, piece.after) for piece in pieces} != {(index, head.sequence)}:
        raise ResharingRefused(f"these pieces do not follow on number {head.sequence} here")
    if len({piece.until for piece in pieces}) != 1:
        raise ResharingRefused("the two pieces do not end at the same number")
    opened = [_open(keys, parties[piece.sender], dimension, piece) for piece in ordered]
    return _continue(head, opened)


def reshare(lost: PartyLike, others: Sequence[PartyLike]) -> int:
    """Bring a party to where the other two both are; what broke off goes on from there.

    Returns:
        The head that it has now.

    Raises:
        PrivateMatchingError: see `PartyLike.hand_over`, `PartyLike.take_over`.
    """
    first, second = others
    while True:
        after = lost.status().head
        one = first.hand_over(lost.index, after, after + PIECE_NUMBERS)
        two = second.hand_over(lost.index, after, one.until)
        if two.until < one.until:
            one = first.hand_over(lost.index, after, two.until)
        lost.take_over([one, two])
        if one.until == after:
            return after


def _open(keys: PartyKeys, sender: PartyCard, dimension: int, piece: Piece) -> _Opened:
    label = _label(piece.sender, piece.recipient, piece.after, piece.until)
    try:
        signed = label + hashlib.sha256(piece.sealed).digest()
        sender.public_signing_key().verify(piece.signature, signed)
        plain = SUITE.decrypt(piece.sealed, keys.seal, label)
    except (InvalidSignature, InvalidTag, ValueError):
        raise ResharingRefused(f"a piece is not as party {sender.index} made it") from None
    end = _LENGTH_BYTES + int.from_bytes(plain[:_LENGTH_BYTES], "big")
    size = RING_BYTES * dimension
    try:
        heading = _Heading.model_validate_json(plain[_LENGTH_BYTES:end])
    except ValidationError as error:
        raise ResharingRefused(f"a piece of party {sender.index} holds something else") from error
    there = [isinstance(entry, _Template) and entry.there for entry in heading.entries]
    if len(there) != piece.until - piece.after or len(plain) != end + size * sum(there):
        raise ResharingRefused(f"a piece of party {sender.index} is not of the length it tells")
    starts = iter(range(end, len(plain), size))
    components = [
        plain[(at := next(starts)) : at + size] if is_there else None for is_there in there
    ]
    return _Opened(heading, components)


def _continue(head: ChainHead, opened: Sequence[_Opened]) -> list[Entry]:
    """Check two opened pieces against each other and the chains, and make entries of them."""
    if [piece.heading.before for piece in opened] != [chain.hex() for chain in head.chains]:
        raise PartiesDisagree(
            f"the other parties hold something else up to number {head.sequence} than this one"
        )
    entries = [
        _entry(tuple(told), tuple(components))
        for told, components in zip(
            zip(*(piece.heading.entries for piece in opened), strict=True),
            zip(*(piece.components for piece in opened), strict=True),
            strict=True,
        )
    ]
    for entry in entries:
        head = head.then(entry)
    if [piece.heading.after for piece in opened] != [chain.hex() for chain in head.chains]:
        raise ResharingRefused("a piece does not come to the digest that it tells")
    return entries


def _entry(told: tuple[_Template | _Removal, ...], components: tuple[bytes | None, ...]) -> Entry:
    match told:
        case (_Removal(erased=one), _Removal(erased=two)) if one == two:
            return RemovalEntry(tuple(one))
        case (_Template() as one, _Template() as two) if (one.batch, one.row) == (
            two.batch,
            two.row,
        ):
            digests = ComponentDigests(bytes.fromhex(one.digest), bytes.fromhex(two.digest))
            return TemplateEntry(one.batch, one.row, digests, _share(one, digests, components))
    raise PartiesDisagree("the other two parties hold different things under one number")


def _share(
    told: _Template, digests: ComponentDigests, components: tuple[bytes | None, ...]
) -> Share | None:
    """Both components; None where one of the two has erased its own already."""
    found = [component for component in components if component is not None]
    if len(found) < len(components):
        return None
    for component, digest in zip(found, digests, strict=True):
        if component_digest(told.batch, told.row, component) != digest:
            raise ResharingRefused("a component is not the one whose digest is told")
    return Share(np.stack([np.frombuffer(one, "<u8").astype(np.uint64) for one in found]))


def _label(sender: int, recipient: int, after: int, until: int) -> bytes:
    fields = json.dumps([sender, recipient, after, until])
    return b"personhood piece v1\0" + fields.encode()
