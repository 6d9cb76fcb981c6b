"""Every error of every room has a stable code of its own, and is drawn in its docstring."""

import importlib
import re

import pytest

ROOMS = {
    "console": "ConsoleError",
    "distribution": "DistributionError",
    "enrollment": "EnrollmentError",
    "identity_proofs": "IdentityProofsError",
    "personhood": "PersonhoodError",
    "transparency": "TransparencyError",
    "uniqueness": "UniquenessError",
}


def tree(base: type[Exception]) -> set[type[Exception]]:
    return {base}.union(*(tree(child) for child in base.__subclasses__()))


def errors_of(room: str) -> set[type[Exception]]:
    return tree(getattr(importlib.import_module(f"{room}.errors"), ROOMS[room]))


@pytest.mark.parametrize("room", ROOMS)
def test_the_docstring_draws_the_whole_tree(room: str) -> None:
    drawing = importlib.import_module(f"{room}.errors").__doc__ or ""
    drawn = set(re.findall(r"(?:^\s*|─ )([A-Z]\w+)", drawing, re.M))
    assert {error.__name__ for error in errors_of(room)} <= drawn


def test_codes_are_unique_and_stable_in_form() -> None:
    codes = [error.__dict__["code"] for room in ROOMS for error in errors_of(room)]  # type: ignore[attr-defined]
    assert all(re.fullmatch(r"[a-z0-9_]+", code) for code in codes)
    assert len(codes) == len(set(codes))
