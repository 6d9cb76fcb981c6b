"""The console in a real browser, with an authenticator that the browser pretends to have."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from console.chain import ChainStatus, EpochLine, QueueLine
from console.operators import Role
from tests.console import Clock, Console, open_console
from tests.service import served

NOW = int(time.time()) // 3600 * 3600 + 3600  # decisions are made now: an hour ago
_AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@dataclass(frozen=True)
class ConsolePage:
    """One browser page with a passkey device, and the console that it opens."""

    page: Page
    console: Console
    url: str
    complaints: list[str]

    def open(self, path: str = "") -> None:
        """Open a page of the console."""
        self.page.goto(f"{self.url}/console/{path}")

    def sign_up(self, name: str, role: Role) -> None:
        """Follow a sign-up link, and make a passkey."""
        self.open(f"join#{self.console.invited(name, role)}")
        self.press("Continue")
        self.press("Make a passkey")
        self.expect_page("")

    def sign_in(self) -> None:
        """Use the passkey."""
        self.open("sign-in")
        self.press("Use a passkey")
        self.expect_page("")

    def press(self, name: str) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=name).click()

    def expect_page(self, path: str) -> None:
        """Wait for a page."""
        expect(self.page).to_have_url(f"{self.url}/console/{path}")

    def expect_heading(self, text: str) -> None:
        """Wait for a page by what it says first."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(text)


@contextmanager
def opened_console(browser: Browser, directory: Path, **context: Any) -> Iterator[ConsolePage]:
    """A fresh console, a fresh browser profile, and a page in it that shows nothing yet."""
    clock = Clock(NOW)
    with (
        open_console(directory, clock, chain=lambda: a_chain(clock.now)) as console,
        served(console.app) as address,
        browser.new_context(**{"viewport": {"width": 1280, "height": 860}} | context) as profile,
    ):
        url = address.replace("127.0.0.1", "localhost")
        page = profile.new_page()
        complaints = listen(page, url)
        devices = profile.new_cdp_session(page)
        devices.send("WebAuthn.enable")
        devices.send("WebAuthn.addVirtualAuthenticator", {"options": _AUTHENTICATOR})
        yield ConsolePage(page, console, url, complaints)


def listen(page: Page, url: str) -> list[str]:
    """Collect what no page may cause: errors, refusals of the policy, requests elsewhere."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith(url) else complaints.append(r.url))
    page.on(
        "console",
        lambda m: complaints.append(m.text) if "Content Security Policy" in m.text else None,
    )
    return complaints


def a_chain(now: int) -> ChainStatus:
    """What a chain in its fifth epoch could hold."""
    first, second = "0x1f2e" + "ab12" * 15, "0x0aa1" + "cd34" * 15
    return ChainStatus(
        problem=None,
        read_at=now - 12,
        chain_id=31337,
        registry="0x5FbDB2315678afecb367f032d93F642f64180aa3",
        distributor="0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512",
        root=first,
        members=1240,
        removed=3,
        quorum=2,
        attesters=3,
        pool="998 700",
        amount="100",
        epochs=(
            EpochLine(4, None, 0, "0", now + 86_000),
            EpochLine(3, first, 611, "61 100", now - 1_000),
            EpochLine(2, second, 590, "59 000", now - 606_000),
        ),
        queues=(QueueLine("publisher", 12, 140, 1, 310), QueueLine("relayer", 3, 9, 1, None)),
    )
