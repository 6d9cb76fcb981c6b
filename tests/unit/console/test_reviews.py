"""Two different people decide, having looked; whoever may not decide sees no picture."""

import base64
import re

import pytest
from sqlalchemy import select

from console.activity import Action
from console.operators import Role
from console.sessions import CONFIRMED
from enrollment.cases import Verdict, ViewRow
from enrollment.rows import EnrollmentStatus
from tests.console import Console
from tests.desk import BOTH, ENROLLED
from tests.unit.console.conftest import Browser

CAME, ENROLLED_BEFORE = b"picture of 2 like 1", b"picture of 1"


@pytest.fixture
def case(console: Console) -> str:
    """Person 1 is enrolled; somebody like them came."""
    console.desk.enroll("1", 1, ENROLLED)
    waiting = console.desk.enroll("2 like 1", 2, BOTH)
    assert waiting.status is EnrollmentStatus.ADJUDICATION
    return waiting.id


def adjudicator(console: Console, name: str) -> Browser:
    browser = Browser(console)
    browser.sign_in(name, Role.ADJUDICATOR)
    return browser


def holds(html: str, picture: bytes) -> bool:
    return base64.b64encode(picture).decode() in html


def status_of(console: Console, case: str) -> EnrollmentStatus:
    found = console.desk.store.get(case)
    assert found is not None
    return found.status


def test_the_pictures_are_shown_to_an_adjudicator_and_each_look_is_written_down(
    console: Console, case: str
) -> None:
    ada = adjudicator(console, "ada")
    queue = ada.client.get("/console/reviews").text
    assert case in queue
    assert not holds(queue, CAME)
    page = ada.send("/console/reviews/look", case=case)
    assert page.status_code == 200
    assert holds(page.text, CAME)
    assert holds(page.text, ENROLLED_BEFORE)
    assert page.headers["cache-control"] == "no-store"
    assert "img-src 'self' data:;" in page.headers["content-security-policy"]
    assert "data:" not in ada.client.get("/console/").headers["content-security-policy"]
    entry = console.staff.trail.read(1)[0]
    assert (entry.operator, entry.action, entry.subject) == ("ada", Action.REVIEW_VIEWED, case)
    with console.engine.connect() as connection:
        assert connection.scalars(select(ViewRow.adjudicator)).all() == ["ada"]


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMIN])
def test_nobody_else_sees_them(browser: Browser, case: str, role: Role) -> None:
    browser.sign_in("eve", role)
    assert "Only adjudicators see the pictures" in browser.client.get("/console/reviews").text
    for path in ("look", "vote"):
        page = browser.send(f"/console/reviews/{path}", case=case, verdict="different")
        assert page.status_code == 403
        assert not holds(page.text, CAME)
    with browser.console.engine.connect() as connection:
        assert connection.scalars(select(ViewRow.adjudicator)).all() == []


def test_one_person_alone_decides_nothing(console: Console, case: str) -> None:
    ada = adjudicator(console, "ada")
    unseen = ada.send("/console/reviews/vote", case=case, verdict="different")
    assert unseen.status_code == 409
    assert "look at the pictures" in unseen.text
    ada.send("/console/reviews/look", case=case)
    taken = ada.send("/console/reviews/vote", case=case, verdict="different")
    assert "Another adjudicator has to vote" in taken.text
    again = ada.send("/console/reviews/vote", case=case, verdict="different")
    assert again.status_code == 409
    assert "somebody else" in again.text
    assert "you voted" in ada.client.get("/console/reviews").text
    assert status_of(console, case) is EnrollmentStatus.ADJUDICATION


def test_two_who_agree_decide_without_knowing_of_each_other(console: Console, case: str) -> None:
    ada, ben = adjudicator(console, "ada"), adjudicator(console, "benjamin")
    ada.send("/console/reviews/look", case=case)
    ada.send("/console/reviews/vote", case=case, verdict="different")
    queue = ben.client.get("/console/reviews").text
    pair = re.sub(r"data:[^\"]*", "", ben.send("/console/reviews/look", case=case).text)
    assert "ada" not in queue + pair
    told = ben.send("/console/reviews/vote", case=case, verdict="different")
    assert "different people" in told.text
    assert "Nobody waits" in told.text
    assert status_of(console, case) is EnrollmentStatus.ACCEPTED
    over = ben.send("/console/reviews/look", case=case)
    assert over.status_code == 409
    assert not holds(over.text, CAME)
    votes = [e.subject for e in console.staff.trail.read(9) if e.action is Action.REVIEW_VOTED]
    assert votes == [f"{case}: different"] * 2


def test_a_third_one_is_asked_where_two_differ(console: Console, case: str) -> None:
    for name, verdict in (("ada", "same"), ("ben", "different")):
        browser = adjudicator(console, name)
        browser.send("/console/reviews/look", case=case)
        browser.send("/console/reviews/vote", case=case, verdict=verdict)
    cleo = adjudicator(console, "cleo")
    assert "they differ" in cleo.client.get("/console/reviews").text
    cleo.send("/console/reviews/look", case=case)
    told = cleo.send("/console/reviews/vote", case=case, verdict="same")
    assert "the same person" in told.text
    decided = console.desk.store.get(case)
    assert decided is not None
    assert decided.status is EnrollmentStatus.DUPLICATE
    assert console.desk.images(decided) == ()


def test_looking_takes_a_fresh_confirmation(console: Console, case: str) -> None:
    ada = adjudicator(console, "ada")
    console.clock.forward(CONFIRMED)
    answer = ada.send("/console/reviews/look", case=case)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/console/confirm?next=/console/reviews/look"
    assert ada.client.get("/console/reviews/look").headers["location"] == "/console/reviews"


@pytest.mark.parametrize("verdict", ["", "maybe"])
def test_a_vote_says_one_of_three_things(console: Console, case: str, verdict: str) -> None:
    ada = adjudicator(console, "ada")
    ada.send("/console/reviews/look", case=case)
    assert ada.send("/console/reviews/vote", case=case, verdict=verdict).status_code == 422
    assert console.desk.service.adjudication.queue()[0].votes == {}


def test_an_unknown_review_is_told(browser: Browser) -> None:
    browser.sign_in("ada", Role.ADJUDICATOR)
    assert browser.send("/console/reviews/look", case="nothing").status_code == 409
    assert browser.send("/console/reviews/vote", case="x", verdict=Verdict.SAME).status_code == 409


def test_a_review_that_waits_for_days_is_an_alarm(console: Console, case: str) -> None:
    (waiting,) = console.desk.service.adjudication.queue()
    assert waiting.id == case
    console.clock.now = waiting.opened_at + 4 * 24 * 3600
    browser = Browser(console)
    browser.sign_in("ada", Role.AUDITOR)
    page = browser.client.get("/console/").text
    assert "People wait for a review" in page
    assert "has waited 4 days" in page
