"""Everybody can use it: every language, the keyboard alone, and axe's rules on every screen."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from enrollment.kiosk_files import PAGE
from tests.browser.axe import serious_violations
from tests.browser.camera import in_front_of_camera, nobody
from tests.browser.page import KioskPage
from tests.photographs import astronaut
from tests.service import wallet

LOCALES = PAGE / "locales"
TAGS = json.loads((LOCALES / "index.json").read_text())


def _locale(tag: str) -> dict[str, dict[str, str]]:
    return dict(json.loads((LOCALES / f"{tag}.json").read_text()))


@pytest.mark.parametrize("tag", TAGS)
def test_a_language_has_every_text_with_its_placeholders(tag: str) -> None:
    english, texts = _locale("en")["texts"], _locale(tag)["texts"]
    assert texts.keys() == english.keys()
    for key, text in texts.items():
        assert text.strip(), key
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", english[key])), key


def test_every_text_that_the_page_names_exists() -> None:
    sources = [path.read_text() for path in PAGE.rglob("*") if path.suffix in {".js", ".html"}]
    named = {key for source in sources for key in re.findall(r'data-text[\w-]*="([\w.]+)"', source)}
    named |= {f"hint.{hint}" for hint in _hints()}
    assert named <= _locale("en")["texts"].keys()


def _hints() -> Iterator[str]:
    guidance = (PAGE / "guidance.js").read_text()
    typedef = guidance[guidance.index("@typedef {") : guidance.index("} Hint")]
    yield from re.findall(r'"(\w+)"', typedef.rpartition("@typedef {")[2])


def test_every_file_for_a_language_is_offered() -> None:
    assert {path.stem for path in LOCALES.glob("*.json")} == {"index", *TAGS}


@pytest.mark.slow
@pytest.mark.parametrize("tag", TAGS)
def test_a_turn_in_each_language(kiosk: KioskPage, tag: str) -> None:
    locale = _locale(tag)
    kiosk.register()
    kiosk.begin(str(locale["name"]))
    html = kiosk.page.locator("html")
    expect(html).to_have_attribute("lang", tag)
    expect(html).to_have_attribute("dir", str(locale["direction"]))
    _expect_no_overflow(kiosk.page)
    kiosk.type_statement(wallet(1))
    kiosk.follow({"front": in_front_of_camera(astronaut())})
    kiosk.expect_result(locale["texts"]["result.accepted"])
    _expect_no_overflow(kiosk.page)
    kiosk.page.locator("#finish").click()
    kiosk.expect_screen("welcome")
    expect(html).to_have_attribute("lang", "en")


def _expect_no_overflow(page: Page) -> None:
    """Nothing is wider than the screen."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("""[...document.querySelectorAll("button, h1, h2, p")].every((element) =>
      element.scrollWidth <= element.clientWidth + 1 || !element.checkVisibility() ||
      element.classList.contains("visually-hidden"))""")


@pytest.mark.slow
def test_a_turn_by_keyboard_alone(kiosk: KioskPage) -> None:
    page = kiosk.page
    kiosk.open()
    page.keyboard.type(kiosk.kiosks.invite("Hall"))
    page.keyboard.press("Enter")
    kiosk.expect_screen("welcome")
    _tab_to(page, "#languages button[lang=en]")
    page.keyboard.press("Enter")
    kiosk.expect_screen("consent")
    _tab_to(page, "#agree")
    page.keyboard.press("Enter")
    expect(page.locator("#challenge-code path")).to_be_visible()
    _tab_to(page, "#statement")
    kiosk.type_statement(wallet(1))
    kiosk.follow({"front": in_front_of_camera(astronaut())})
    kiosk.expect_result("You are enrolled")
    _tab_to(page, "#finish")
    page.keyboard.press("Space")
    kiosk.expect_screen("welcome")


def _tab_to(page: Page, selector: str) -> None:
    """Press Tab until an element has the focus, which has to be visible."""
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
            assert outline == "4px"
            return
    raise AssertionError(f"Tab does not lead to {selector}")


@pytest.mark.slow
def test_axe_finds_nothing_serious_on_any_screen(kiosk: KioskPage) -> None:
    kiosk.open()
    found = {"register": serious_violations(kiosk.page)}
    kiosk.register()
    found["welcome"] = serious_violations(kiosk.page)
    kiosk.page.get_by_role("button", name="العربية").click()
    found["consent"] = serious_violations(kiosk.page)
    kiosk.page.locator("#agree").click()
    expect(kiosk.page.locator("#challenge-code path")).to_be_visible()
    found["wallet"] = serious_violations(kiosk.page)
    kiosk.camera.show(nobody())
    kiosk.type_statement(wallet(1))
    found["capture"] = serious_violations(kiosk.page)
    kiosk.follow({"front": in_front_of_camera(astronaut())})
    kiosk.expect_screen("result")
    found["result"] = serious_violations(kiosk.page)
    assert found == {screen: [] for screen in found}
