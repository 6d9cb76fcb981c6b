import inspect

import pytest

import enrollment.errors
import identity_proofs.errors
import uniqueness.errors
from enrollment.errors import (
    AdjudicationError,
    EnrollmentError,
    KioskNameTaken,
    ModelPackError,
    ReceiptInvalid,
)
from enrollment.problems import internal_problem, problem_of, status_of
from identity_proofs.errors import InvalidStatement
from uniqueness.errors import (
    CalibrationError,
    GalleryOwned,
    InvalidFusion,
    InvalidIndexState,
    InvalidTemplate,
    InvalidThresholds,
    ModelMismatch,
    PersonRemoved,
    PersonUnknown,
    SealError,
    SnapshotError,
    TrialUnreadable,
    UniquenessError,
)

# Raised while the service starts, or only if the service itself is wrong: `internal`.
NEVER_ON_THE_WIRE = (
    AdjudicationError,
    ModelPackError,
    KioskNameTaken,
    ReceiptInvalid,
    SealError,
    CalibrationError,
    SnapshotError,
    GalleryOwned,
    InvalidFusion,
    InvalidIndexState,
    InvalidThresholds,
    InvalidTemplate,
    ModelMismatch,
    PersonRemoved,
    PersonUnknown,
    TrialUnreadable,
)


def tree(root: type[Exception]) -> list[type[Exception]]:
    return [root, *(leaf for child in root.__subclasses__() for leaf in tree(child))]


def leaves(root: type[Exception]) -> list[type[Exception]]:
    return [kind for kind in tree(root) if not kind.__subclasses__()]


ON_THE_WIRE = [
    kind
    for kind in [*leaves(EnrollmentError), *leaves(UniquenessError), InvalidStatement]
    if not issubclass(kind, NEVER_ON_THE_WIRE)
]


@pytest.mark.parametrize("kind", ON_THE_WIRE, ids=lambda kind: kind.__name__)
def test_every_error_that_can_reach_the_wire_has_a_status(kind):
    status = status_of(kind)
    assert status is not None
    assert 400 <= status < 600
    assert status != 500
    problem = problem_of(kind("what to do"), "r1").as_json()
    assert problem["type"] == f"urn:personhood:problem:{kind.code}"
    assert (problem["detail"], problem["request_id"]) == ("what to do", "r1")


@pytest.mark.parametrize("kind", [*NEVER_ON_THE_WIRE, ValueError, KeyError])
def test_a_fault_of_ours_is_internal_and_tells_nothing(kind):
    assert problem_of(kind("secret"), "r1") == internal_problem("r1")


def test_codes_are_unique_over_all_trees():
    kinds = [*tree(EnrollmentError), *tree(UniquenessError), InvalidStatement]
    assert len({kind.code for kind in kinds}) == len(kinds)


@pytest.mark.parametrize("module", [enrollment.errors, uniqueness.errors, identity_proofs.errors])
def test_the_tree_in_the_docstring_is_the_tree(module):
    drawn = module.__doc__ or ""
    for name, kind in inspect.getmembers(module, inspect.isclass):
        if issubclass(kind, Exception):
            assert name in drawn
