"""The table of errors in docs/http-api.md is the service's own."""

import re
from pathlib import Path

from enrollment import errors
from enrollment.problems import STATUS, status_of
from uniqueness.errors import GalleryUnavailable

DOCUMENT = Path(__file__).parents[3] / "docs" / "http-api.md"


def leaves(kind: type[Exception]) -> set[type[Exception]]:
    children = kind.__subclasses__()
    return set().union(*(leaves(child) for child in children)) if children else {kind}


def test_every_error_that_reaches_the_wire_is_documented() -> None:
    reachable = set().union(*(leaves(kind) for kind in {*STATUS, errors.EnrollmentError}))
    reachable.add(GalleryUnavailable)  # raised as it is, and the base of a narrower one
    expected = {
        (status.value, kind.__dict__["code"])
        for kind in reachable
        if (status := status_of(kind)) is not None
    }
    rows = re.findall(r"^\| (\d{3}) \| `(\w+)` \| \w", DOCUMENT.read_text(), re.M)
    documented = {(int(status), code) for status, code in rows if int(status) >= 400}
    assert documented == expected | {(500, "internal")}
