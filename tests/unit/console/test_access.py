"""Who may open and send what; forms of other pages; the address of the console."""

from pathlib import Path

import pytest
from starlette.routing import Route

from console.activity import Action
from console.address import ConsoleAddress
from console.errors import AddressRefused, ConsoleAddressInvalid
from console.operators import ALLOWED, Permission, Role
from tests.console import Clock, Console, open_console
from tests.unit.console.conftest import NOW, Browser

READ = {"/console/", "/console/overview", "/console/kiosks", "/console/chain", "/console/receipts"}
READ |= {"/console/reviews", "/console/account", "/console/confirm"}
AUDIT = {"/console/activity", "/console/report"}
CONFIGURE = {"/console/operators", "/console/operators/add", "/console/kiosks/invite"}
OPEN = {"/console/sign-in", "/console/join"}
CHANGES = [
    ("/console/kiosks/invite", {"name": "Hall"}),
    ("/console/kiosks/revoke", {"name": "Hall"}),
    ("/console/operators/add", {"name": "eve", "role": "admin"}),
    ("/console/operators/invite", {"name": "ada"}),
    ("/console/operators/disable", {"name": "ada"}),
]


@pytest.mark.parametrize("role", Role)
def test_each_role_opens_its_pages_alone(browser: Browser, role: Role) -> None:
    browser.sign_in("somebody", role)
    allowed = ALLOWED[role]
    for pages, permission in ((READ, "READ"), (AUDIT, "AUDIT"), (CONFIGURE, "CONFIGURE")):
        expected = 200 if Permission[permission] in allowed else 403
        for path in pages:
            answer = browser.client.get(path)
            assert answer.status_code == expected, path
            assert answer.headers["cache-control"] == "no-store"
            if expected == 403:
                assert f"Your role, {role}, does not" in answer.text


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADJUDICATOR])
@pytest.mark.parametrize(("path", "form"), CHANGES)
def test_only_an_admin_changes_anything(
    browser: Browser, role: Role, path: str, form: dict[str, str]
) -> None:
    browser.sign_in("somebody", role)
    answer = browser.send(path, **form)
    assert answer.status_code == 403
    assert browser.console.operations.kiosks.invited() == {}
    assert [one.name for one in browser.console.staff.operators.all()] == ["somebody"]
    newest = browser.console.staff.trail.read(1)[0]
    assert (newest.action, newest.subject) == (Action.ACCESS_REFUSED, f"POST {path}")


def test_nobody_opens_anything_without_signing_in(console: Console, browser: Browser) -> None:
    paths = {
        (method, route.path)
        for included in console.app.routes
        for route in getattr(getattr(included, "original_router", None), "routes", [included])
        if isinstance(route, Route) and route.path.startswith("/console")
        for method in route.methods or ()
    }
    open_to_all = OPEN | {"/console", "/console/static/{name}", "/console/{path:path}"}
    open_to_all |= {
        path for _, path in paths if path.startswith(("/console/sign-in", "/console/join"))
    }
    closed = {(method, path) for method, path in paths if path not in open_to_all}
    assert {path for _, path in closed} >= READ | AUDIT | CONFIGURE
    for method, path in closed:
        answer = browser.client.request(method, path)
        location = answer.headers.get("location", "")
        assert (answer.status_code, location.partition("?")[0]) in {
            (303, "/console/sign-in"),
            (422, ""),  # a form without fields
        }, path


@pytest.mark.parametrize(("path", "form"), CHANGES)
def test_a_form_of_another_session_is_refused(
    console: Console, browser: Browser, path: str, form: dict[str, str]
) -> None:
    browser.sign_in("ada", Role.ADMIN)
    other = Browser(console)
    other.sign_in("ben", Role.ADMIN)
    for token in ({}, {"form_token": ""}, {"form_token": other.token()}):
        answer = browser.client.post(path, data={**form, **token})
        assert answer.status_code == 403
        assert "not of your session" in answer.text
    assert console.operations.kiosks.invited() == {}
    assert [one.name for one in console.staff.operators.all()] == ["ada", "ben"]


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "http://localhost:1"])
def test_a_form_of_another_page_is_refused(browser: Browser, origin: str | None) -> None:
    browser.sign_in("ada", Role.ADMIN)
    token = browser.token()
    del browser.client.headers["origin"]
    headers = {"origin": origin} if origin else {}
    for path, form in [("/console/sign-in", {}), ("/console/sign-out", {}), *CHANGES]:
        answer = browser.client.post(path, data={**form, "form_token": token}, headers=headers)
        assert answer.status_code == 403, path
    assert browser.client.get("/console/").status_code == 200


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"x" * 70_000, "application/x-www-form-urlencoded"),
        (b"[1]", "application/json"),
        (b"{", "application/json"),
        (b"[" * 30_000, "application/json"),
        (b"\xff=1", "application/x-www-form-urlencoded"),
        (b"a=1&" * 100, "application/x-www-form-urlencoded"),
        (b"name=1", "multipart/form-data; boundary=x"),
    ],
)
def test_what_is_no_form_is_refused(browser: Browser, body: bytes, kind: str) -> None:
    answer = browser.client.post("/console/sign-in", content=body, headers={"content-type": kind})
    assert answer.status_code == 422


def test_every_answer_has_the_headers(browser: Browser) -> None:
    browser.sign_in("ada", Role.AUDITOR)
    for path in (
        "/console/",
        "/console/static/console.css",
        "/console/nothing",
        "/console/operators",
    ):
        headers = browser.client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "form-action 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"


def test_no_page_has_a_script_or_style_of_its_own() -> None:
    templates = Path(__file__).parents[3] / "console/templates"
    for path in templates.iterdir():
        text = path.read_text()
        assert " style=" not in text, path.name
        assert "<style" not in text, path.name
        assert text.count("<script ") == text.count('<script type="module" src="/console/static/')
        assert "|safe" not in text.replace(" ", ""), path.name


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "LOCALHOST:8000"])
def test_without_configuration_it_answers_at_localhost(host: str) -> None:
    assert ConsoleAddress.local().origin_of(host).text == f"http://{host.lower()}"


@pytest.mark.parametrize("host", ["", "evil.example", "localhost.evil.example", "192.168.0.4:8000"])
def test_and_nowhere_else(host: str) -> None:
    with pytest.raises(AddressRefused):
        ConsoleAddress.local().origin_of(host)


@pytest.mark.parametrize(
    "url", ["http://console.example", "console.example", "https://", "https://a/b", "ftp://a", ""]
)
def test_an_address_without_tls_cannot_be_configured(url: str) -> None:
    with pytest.raises(ConsoleAddressInvalid):
        ConsoleAddress(url)


def test_a_configured_address_is_the_only_one(tmp_path: Path) -> None:
    with open_console(tmp_path, Clock(NOW), url="https://Console.example/") as console:
        client = Browser(console).client
        assert client.get("/console/sign-in").headers["location"] == (
            "https://console.example/console/sign-in"
        )
        assert client.post("/console/sign-in").status_code == 421
        client.headers.update({"origin": "https://console.example", "host": "console.example"})
        code = console.invited("ada", Role.ADMIN)
        secret = console.staff.passwords.secret(console.staff.operators.invitation(code))
        form = {
            "code": code,
            "password": "four quiet green doors",
            "six_digits": console.digits(secret),
        }
        cookie = client.post("/console/join/password", data=form).headers["set-cookie"]
        assert cookie.startswith("__Host-personhood-console=")
        assert "Secure" in cookie
        sent = {"cookie": cookie.partition(";")[0]}
        assert client.get("/console/", headers=sent).status_code == 200


def test_the_loopback_address_leads_to_localhost(browser: Browser) -> None:
    answer = browser.client.get("/console/kiosks", headers={"host": "127.0.0.1:8000"})
    assert answer.headers["location"] == "http://localhost:8000/console/kiosks"
