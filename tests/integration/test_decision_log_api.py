"""The decision log over HTTP: what a stranger can check of enrolments that really took place."""

from base64 import b64decode

from enrollment.receipts import check_receipt
from tests.photographs import another_exposure, as_jpeg, astronaut, coffee
from tests.service import Kiosk, wallet
from transparency.checkpoint import open_checkpoint
from transparency.entry import Entry, Opening
from transparency.merkle import leaf_hash, verify_consistency, verify_inclusion
from transparency.note import VerifierKey


def ask(kiosk: Kiosk, path: str, **query: int) -> dict:
    answer = kiosk.client.get(f"/v1/log/{path}", params=query)
    assert answer.status_code == 200
    return answer.json()


def head(kiosk: Kiosk):
    key = VerifierKey.from_text(kiosk.client.get("/v1/log/key").text)
    return open_checkpoint(kiosk.client.get("/v1/log/checkpoint").text, key).checkpoint


def proof(kiosk: Kiosk, kind: str, **query: int) -> list[bytes]:
    return [b64decode(part) for part in ask(kiosk, f"proof/{kind}", **query)["proof"]]


def test_every_outcome_can_be_checked_by_a_stranger(kiosk: Kiosk) -> None:
    empty = head(kiosk)
    accepted = kiosk.enroll(7, as_jpeg(astronaut())).json()
    first = head(kiosk)
    kiosk.enroll(8, as_jpeg(another_exposure(astronaut())))
    kiosk.enroll(9, as_jpeg(coffee()))
    last = head(kiosk)
    assert (empty.size, first.size, last.size) == (0, 1, 3)

    leaves = [leaf.encode() for leaf in ask(kiosk, "entries", start=0, end=9)["leaves"]]
    entries = [Entry.from_bytes(leaf) for leaf in leaves]
    assert [entry.kind for entry in entries] == ["unique", "duplicate", "rejected"]
    assert entries[2].reason == "no_face"
    assert len({entry.kiosk for entry in entries}) == 1

    for at, leaf in enumerate(leaves):
        shown = proof(kiosk, "inclusion", index=at, size=3)
        verify_inclusion(leaf_hash(leaf), at, 3, shown, last.root)
    for earlier in (empty, first, last):
        grown = proof(kiosk, "consistency", **{"from": earlier.size, "to": 3})
        verify_consistency(earlier.size, 3, grown, earlier.root, last.root)

    (key,) = kiosk.client.get("/v1/keys").json()["keys"]
    public_key = b64decode(key["x"] + "=", altchars=b"-_")
    receipt = check_receipt(accepted["receipt"], public_key)
    assert receipt.logged is not None
    assert (receipt.logged.index, receipt.logged.leaf_hash) == (0, leaf_hash(leaves[0]))

    (shown,) = ask(kiosk, "openings")["openings"]
    opening = Opening(int(shown["commitment"]), b64decode(shown["salt"]))
    assert (shown["index"], opening.commitment) == (0, wallet(7).commitment)
    assert opening.digest == entries[0].commitment


def test_the_same_request_twice_is_logged_once(kiosk: Kiosk) -> None:
    prepared = kiosk.prepare(7, as_jpeg(astronaut()))
    receipts = {kiosk.send(prepared).json()["receipt"] for _ in range(2)}
    assert (len(receipts), head(kiosk).size) == (1, 1)


def test_what_the_log_does_not_have_is_a_coded_error(kiosk: Kiosk) -> None:
    for path, query in (
        ("proof/inclusion", {"index": 0, "size": 0}),
        ("proof/inclusion", {"index": 0, "size": 5}),
        ("proof/consistency", {"from": 2, "to": 1}),
        ("proof/consistency", {"from": 0, "to": 1}),
    ):
        answer = kiosk.client.get(f"/v1/log/{path}", params=query)
        assert (answer.status_code, answer.json()["code"]) == (404, "log_range_invalid")
    answer = kiosk.client.get("/v1/log/entries", params={"start": -1, "end": 1})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")
    assert ask(kiosk, "entries", start=5, end=9) == {"start": 5, "leaves": []}
