"""The second way to sign in, sessions, and everything that is refused."""

import re

import pytest
from sqlalchemy import inspect, text

from console.errors import OperatorInvitationInvalid, OperatorNameTaken, OperatorUnknown
from console.operators import INVITATION_LIFETIME, Role
from console.pages.sign_in import safe_next
from console.sessions import ABSOLUTE, CONFIRMED, IDLE
from tests.console import PASSWORD, Clock, Console
from tests.unit.console.conftest import Browser

WRONG = "The name, the password or the six digits are wrong."


def test_there_is_no_operator_and_no_password_from_the_start(console: Console) -> None:
    assert console.staff.operators.all() == ()


def test_a_code_signs_up_once_and_within_a_day(console: Console, clock: Clock) -> None:
    code = console.invited("ada", Role.ADMIN)
    assert console.staff.operators.invitation(code.lower()).operator.name == "ada"
    clock.forward(INVITATION_LIFETIME)
    with pytest.raises(OperatorInvitationInvalid):
        console.staff.operators.invitation(code)


def test_signing_up_by_form(browser: Browser) -> None:
    code = browser.console.invited("ada", Role.ADMIN)
    page = browser.client.post("/console/join", data={"code": code})
    assert "Welcome, ada" in page.text
    secret = re.search(r"Or type: <code>(\w+)</code>", page.text)
    assert secret
    form = {"code": code, "password": "short", "six_digits": "000000"}
    refused = browser.client.post("/console/join/password", data=form)
    assert refused.status_code == 422
    assert "at least 12 characters" in refused.text
    form["password"] = PASSWORD
    assert browser.client.post("/console/join/password", data=form).status_code == 401
    form["six_digits"] = browser.console.digits(secret[1])
    assert browser.client.post("/console/join/password", data=form).status_code == 303
    assert browser.client.get("/console/").status_code == 200
    again = browser.client.post("/console/join/password", data=form)
    assert again.status_code == 403
    assert "unknown, used or expired" in again.text


@pytest.mark.parametrize(
    "password", ["adaadaadaadaada", "aaaaaaaaaaaaaaaa", "my name is Ada ok", "x" * 201]
)
def test_passwords_that_are_guessed_are_refused(browser: Browser, password: str) -> None:
    code = browser.console.invited("ada", Role.ADMIN)
    form = {"code": code, "password": password, "six_digits": "000000"}
    assert browser.client.post("/console/join/password", data=form).status_code == 422


def test_password_and_digits_sign_in_together_alone(console: Console, browser: Browser) -> None:
    _, secret = console.joined("ada", Role.AUDITOR)
    right = console.digits(secret)
    wrong = "000000" if right != "000000" else "111111"
    for name, password, digits in (
        ("ada", "four quiet green door", right),
        ("ada", PASSWORD, wrong),
        ("eve", PASSWORD, right),
        ("ada", PASSWORD * 20, right),
    ):
        refused = browser.password(name, password, digits)
        assert refused.status_code == 401
        assert WRONG in refused.text
        assert password not in refused.text
        assert "set-cookie" not in refused.headers
    assert browser.password("ada", PASSWORD, right).status_code == 303


def test_six_digits_work_once(console: Console, browser: Browser) -> None:
    _, secret = console.joined("ada", Role.AUDITOR)
    digits = console.digits(secret)
    assert browser.password("ada", PASSWORD, digits).status_code == 303
    assert Browser(console).password("ada", PASSWORD, digits).status_code == 401
    console.clock.forward(30)
    assert Browser(console).password("ada", PASSWORD, digits).status_code == 401
    assert Browser(console).password("ada", PASSWORD, console.digits(secret)).status_code == 303


def test_guessing_is_stopped_also_for_names_that_nobody_has(
    console: Console, browser: Browser
) -> None:
    _, secret = console.joined("ada", Role.AUDITOR)
    for name in ("ada", "eve"):
        statuses = [browser.password(name, "guess", "123456").status_code for _ in range(11)]
        assert statuses == [401] * 10 + [429]
    assert browser.password("ada", PASSWORD, console.digits(secret)).status_code == 429


def test_the_cookie_can_be_read_by_no_script_and_sent_by_no_other_page(browser: Browser) -> None:
    _, secret = browser.console.joined("ada", Role.AUDITOR)
    answer = browser.password("ada", PASSWORD, browser.console.digits(secret))
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("personhood-console=")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path=/" in cookie
    assert "max-age" not in cookie.lower()


def test_a_session_ends_when_nobody_uses_it(browser: Browser, clock: Clock) -> None:
    browser.sign_in("ada", Role.AUDITOR)
    for _ in range(3):
        clock.forward(IDLE - 60)
        assert browser.client.get("/console/").status_code == 200
    clock.forward(IDLE)
    answer = browser.client.get("/console/kiosks")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/console/sign-in?next=/console/kiosks"


def test_a_page_that_refreshes_itself_keeps_no_session_alive(
    browser: Browser, clock: Clock
) -> None:
    browser.sign_in("ada", Role.AUDITOR)
    for _ in range(IDLE // 60 - 1):
        clock.forward(60)
        answer = browser.client.get("/console/overview", headers={"sec-fetch-mode": "cors"})
        assert answer.status_code == 200
    clock.forward(60)
    answer = browser.client.get("/console/overview", headers={"sec-fetch-mode": "cors"})
    assert answer.status_code == 401


def test_a_session_ends_after_eight_hours_in_any_case(browser: Browser, clock: Clock) -> None:
    browser.sign_in("ada", Role.AUDITOR)
    for _ in range(ABSOLUTE // 600 - 1):
        clock.forward(600)
        assert browser.client.get("/console/").status_code == 200
    clock.forward(600)
    assert browser.client.get("/console/").status_code == 303


def test_signing_out_ends_the_session_itself(browser: Browser) -> None:
    browser.sign_in("ada", Role.AUDITOR)
    token = browser.client.cookies["personhood-console"]
    assert browser.send("/console/sign-out").status_code == 303
    browser.client.cookies.set("personhood-console", token, domain="localhost.local")
    assert browser.client.get("/console/").status_code == 303


def test_who_is_disabled_is_out_at_once(console: Console, browser: Browser) -> None:
    _, secret = console.joined("ben", Role.AUDITOR)
    other = Browser(console)
    assert other.password("ben", PASSWORD, console.digits(secret)).status_code == 303
    browser.sign_in("ada", Role.ADMIN)
    assert browser.send("/console/operators/disable", name="ben").status_code == 303
    assert other.client.get("/console/").status_code == 303
    clock = console.clock
    clock.forward(30)
    assert other.password("ben", PASSWORD, console.digits(secret)).status_code == 401
    with pytest.raises(OperatorUnknown):
        console.staff.operators.invite_again("ben")


def test_an_admin_does_not_disable_themselves(browser: Browser) -> None:
    browser.sign_in("ada", Role.ADMIN)
    assert browser.send("/console/operators/disable", name="ada").status_code == 422
    assert browser.client.get("/console/").status_code == 200


def test_who_is_invited_again_loses_the_old_ways_in(console: Console, browser: Browser) -> None:
    _, secret = console.joined("ben", Role.AUDITOR)
    assert browser.password("ben", PASSWORD, console.digits(secret)).status_code == 303
    code = console.staff.operators.invite_again("ben")
    assert browser.client.get("/console/").status_code == 200  # until the code is used
    with console.staff.operators.joining(code) as (connection, invitation):
        fresh = console.staff.passwords.secret(invitation)
        console.staff.passwords.set(connection, invitation, PASSWORD + "!", console.digits(fresh))
    assert fresh != secret
    assert browser.client.get("/console/").status_code == 303
    console.clock.forward(30)
    assert browser.password("ben", PASSWORD, console.digits(secret)).status_code == 401
    assert browser.password("ben", PASSWORD + "!", console.digits(fresh)).status_code == 303


def test_names_are_unique(console: Console) -> None:
    console.invited("ada", Role.ADMIN)
    with pytest.raises(OperatorNameTaken):
        console.invited(" ada ", Role.AUDITOR)


def test_a_sensitive_change_asks_again_who_one_is(console: Console, browser: Browser) -> None:
    _, secret = console.joined("ada", Role.ADMIN)
    assert browser.password("ada", PASSWORD, console.digits(secret)).status_code == 303
    assert browser.client.get("/console/kiosks/invite").status_code == 200
    console.clock.forward(CONFIRMED)
    for answer in (
        browser.client.get("/console/kiosks/invite"),
        browser.send("/console/kiosks/invite", name="Hall"),
    ):
        assert answer.status_code == 303
        assert answer.headers["location"] == "/console/confirm?next=/console/kiosks/invite"
    assert console.operations.kiosks.invited() == {}
    form = {"password": PASSWORD, "six_digits": "000000", "next": "/console/kiosks/invite"}
    assert browser.send("/console/confirm", **form).status_code == 401
    form["six_digits"] = console.digits(secret)
    assert browser.send("/console/confirm", **form).headers["location"] == "/console/kiosks/invite"
    assert browser.send("/console/kiosks/invite", name="Hall").status_code == 200
    assert list(console.operations.kiosks.invited()) == ["Hall"]


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/",
        "//evil.example/",
        "/console/\\evil",
        "/console/../v1/keys",
        "/v1/keys",
        "/console/kiosks#x",
        "javascript:alert(1)",
    ],
)
def test_nobody_is_led_elsewhere_after_signing_in(path: str) -> None:
    assert safe_next(path) == "/console/"


def test_the_way_back_keeps_its_question() -> None:
    path = "/console/kiosks/revoke?name=Town%20hall"
    assert safe_next(path) == path


def test_nothing_in_the_database_signs_anybody_in(console: Console, browser: Browser) -> None:
    code = console.invited("ben", Role.AUDITOR)
    secret = console.staff.passwords.secret(console.staff.operators.invitation(code))
    browser.sign_in("ada", Role.ADMIN)
    with console.engine.connect() as connection:
        stored = [
            str(value)
            for table in inspect(console.engine).get_table_names()
            for row in connection.execute(text(f"SELECT * FROM {table}"))
            for value in row
        ]
    held = "\n".join(stored)
    for hidden in (code, secret, PASSWORD, browser.client.cookies["personhood-console"]):
        assert hidden not in held
