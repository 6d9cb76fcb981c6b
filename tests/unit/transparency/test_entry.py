import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transparency.entry import Entry, Kind, Opening, current_hour
from transparency.errors import EntryInvalid

ENTRY = Entry(Kind.UNIQUE, None, 7200, "0a1b", "opencv 1", "fixed", b"\x01" * 32)
PLAIN = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=64)
ENTRIES = st.builds(
    Entry,
    kind=st.sampled_from(Kind),
    reason=st.none() | PLAIN,
    hour=st.integers(0, 2**40).map(lambda hours: hours * 3600),
    kiosk=PLAIN,
    model=PLAIN,
    calibration=PLAIN,
    commitment=st.none() | st.binary(min_size=32, max_size=32),
)


def test_a_leaf_has_these_bytes() -> None:
    assert ENTRY.to_bytes() == (
        b'{"calibration":"fixed","commitment":"' + b"01" * 32 + b'","hour":7200,"kind":"unique",'
        b'"kiosk":"0a1b","model":"opencv 1","reason":null,"v":1}'
    )


@given(ENTRIES)
def test_an_entry_is_read_back(entry: Entry) -> None:
    assert Entry.from_bytes(entry.to_bytes()) == entry


@given(ENTRIES, ENTRIES)
def test_two_entries_have_two_leaves(one: Entry, other: Entry) -> None:
    assert (one == other) == (one.to_bytes() == other.to_bytes())


@pytest.mark.parametrize(
    "change",
    [
        {"hour": 1},
        {"hour": -3600},
        {"hour": 7200.0},
        {"hour": True},
        {"kind": "accepted"},
        {"kiosk": "naïve"},
        {"kiosk": "a\n"},
        {"kiosk": None},
        {"model": "m" * 501},
        {"reason": 5},
        {"commitment": "01" * 31},
        {"commitment": "AB" * 32},
        {"v": 2},
        {"v": True},
        {"score": 0.5},
    ],
)
def test_what_is_no_entry_is_refused(change: dict[str, object]) -> None:
    fields = json.loads(ENTRY.to_bytes()) | change
    leaf = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(EntryInvalid):
        Entry.from_bytes(leaf)


@pytest.mark.parametrize(
    "leaf",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        ENTRY.to_bytes() + b" ",
        ENTRY.to_bytes().replace(b":", b": ", 1),
        ENTRY.to_bytes().replace(b'"v":1', b'"v":1,"v":1'),
        ENTRY.to_bytes().replace(b"opencv", b"op\\u0065ncv"),
    ],
)
def test_a_leaf_has_one_form(leaf: bytes) -> None:
    with pytest.raises(EntryInvalid):
        Entry.from_bytes(leaf)


def test_an_entry_that_cannot_be_written_is_refused() -> None:
    for entry in (replace(ENTRY, hour=5), replace(ENTRY, model="\u2028")):
        with pytest.raises(EntryInvalid):
            entry.to_bytes()


def test_a_commitment_is_hidden_by_its_salt() -> None:
    one, other = Opening.draw(5), Opening.draw(5)
    assert one.digest != other.digest
    assert one.digest == Opening(5, one.salt).digest
    assert one.digest != Opening(6, one.salt).digest
    assert "5" not in repr(one)


def test_time_is_kept_to_the_hour() -> None:
    assert current_hour() % 3600 == 0
