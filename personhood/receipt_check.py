"""What the holder of a receipt can check later: that the log still has what it says."""

import base64
from dataclasses import dataclass

import httpx

from enrollment.receipts import ACCEPTED, Receipt, check_receipt
from personhood.errors import ReceiptUnproven, ServiceUnreachable
from transparency.checkpoint import open_checkpoint
from transparency.client import TIMEOUT, LogClient
from transparency.entry import ADMITTING, REMOVING, Entry
from transparency.errors import ProofInvalid
from transparency.merkle import leaf_hash, verify_inclusion
from transparency.note import VerifierKey


@dataclass(frozen=True)
class Shown:
    """A receipt that holds.

    Args:
        receipt: what it says.
        entry: of the log.
        size: entries of the checkpoint that it was checked against.
    """

    receipt: Receipt
    entry: Entry
    size: int


def check_with_service(text: str, url: str, key: VerifierKey | None = None) -> Shown:
    """Check a receipt's signature, and that its entry is in the log.

    Args:
        text: the receipt.
        url: of the service that signed it.
        key: the log's, where it is known; the service's word otherwise.

    Raises:
        ReceiptInvalid: the service did not sign it.
        ReceiptUnproven: the log does not have what it says.
        ServiceUnreachable, LogUnreachable: no answer.
    """
    receipt = check_receipt(text, _receipt_key(url))
    if receipt.logged is None:
        raise ReceiptUnproven("this receipt is older than the log: ask for another one")
    with LogClient(url) as log:
        checkpoint = open_checkpoint(log.checkpoint(), key or log.key()).checkpoint
        index, hashed = receipt.logged.index, receipt.logged.leaf_hash
        if index >= checkpoint.size:
            raise ReceiptUnproven(f"the log has {checkpoint.size} entries, and no entry {index}")
        leaf, proof = log.leaf(index), log.inclusion(index, checkpoint.size)
        disclosed = log.opening(index)
    try:
        verify_inclusion(hashed, index, checkpoint.size, proof, checkpoint.root)
    except ProofInvalid as wrong:
        raise ReceiptUnproven(f"the log does not have this entry: {wrong}") from wrong
    entry = Entry.from_bytes(leaf)
    kinds = ADMITTING if receipt.event == ACCEPTED else REMOVING
    says = leaf_hash(leaf) == hashed and entry.kind in kinds and entry.commitment is not None
    of_whom = disclosed.commitment if disclosed and disclosed.digest == entry.commitment else None
    if not says or of_whom != receipt.commitment:
        raise ReceiptUnproven(
            f"entry {index} of the log does not say that this wallet was {receipt.event}"
        )
    return Shown(receipt, entry, checkpoint.size)


def _receipt_key(url: str) -> bytes:
    """The service's public key, 32 bytes, from its key set."""
    try:
        answer = httpx.get(f"{url.rstrip('/')}/v1/keys", timeout=TIMEOUT)
        (key,) = answer.raise_for_status().json()["keys"]
        return base64.urlsafe_b64decode(key["x"] + "=")
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as lost:
        raise ServiceUnreachable(f"no enrolment service answers at {url}") from lost
