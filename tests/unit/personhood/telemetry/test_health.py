"""Live, ready, degraded, down: each told apart."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI

from enrollment.requests import install_problem_handlers
from personhood.telemetry.health import Concern, Vitals, create_health_router
from tests.service import served
from uniqueness.errors import GalleryUnavailable, PartiesDisagree, UniquenessError
from uniqueness.gallery import Gallery

WEEK = 7 * 24 * 3600


@dataclass
class SomeGallery:
    """As much of a gallery as health asks for."""

    people: int = 10
    is_open: bool = True
    fails: bool = field(default=False)
    trouble: UniquenessError | None = None

    def require_working(self) -> None:
        if self.trouble:
            raise self.trouble

    def __len__(self) -> int:
        if self.fails:
            raise GalleryUnavailable("the database failed")
        return self.people


def vitals(gallery: SomeGallery | None = None, **changed: Any) -> Vitals:
    values: dict[str, Any] = {
        "safe_population": 100,
        "waiting_since": list,
        "is_snapshot_unsaved": lambda: False,
        "has_replay_guard": True,
    }
    chosen = SomeGallery() if gallery is None else gallery
    return Vitals(gallery=cast(Gallery, chosen), **(values | changed))


@contextmanager
def asking(of: Vitals) -> Iterator[httpx.Client]:
    app = FastAPI()
    app.include_router(create_health_router(of))
    install_problem_handlers(app)
    with served(app) as url, httpx.Client(base_url=url) as client:
        yield client


def ready(of: Vitals) -> httpx.Response:
    with asking(of) as client:
        return client.get("/v1/ready")


def test_all_is_well() -> None:
    answer = ready(vitals())
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["concerns"]) == ("ok", [])


@pytest.mark.parametrize(
    ("of", "concern"),
    [
        (vitals(safe_population=None), Concern.CALIBRATION_MISSING),
        (vitals(SomeGallery(80)), Concern.SAFE_POPULATION_NEAR),
        (vitals(SomeGallery(101)), Concern.SAFE_POPULATION_EXCEEDED),
        (vitals(is_snapshot_unsaved=lambda: True), Concern.SNAPSHOT_UNWRITABLE),
        (vitals(waiting_since=lambda: [time.time() - WEEK - 60]), Concern.REVIEWS_OLD),
        (vitals(has_replay_guard=False), Concern.REPLAY_GUARD_OFF),
    ],
)
def test_a_concern_is_no_fault(of: Vitals, concern: Concern) -> None:
    answer = ready(of)
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["concerns"]) == ("degraded", [concern.value])


def test_parties_that_disagree_are_named() -> None:
    answer = ready(vitals(SomeGallery(trouble=PartiesDisagree("look"))))
    assert (answer.status_code, answer.json()["concerns"]) == (503, ["parties_standstill"])


@pytest.mark.parametrize("gallery", [SomeGallery(is_open=False), SomeGallery(fails=True)])
def test_without_decisions_the_service_is_down_and_still_lives(gallery: SomeGallery) -> None:
    with asking(vitals(gallery)) as client:
        answer = client.get("/v1/ready")
        assert (answer.status_code, answer.json()["status"]) == (503, "down")
        assert client.get("/v1/live").status_code == 200


def test_a_review_of_today_is_none() -> None:
    assert vitals(waiting_since=lambda: [time.time() - 60]).concerns() == ()
