"""`python -m tests.browser.console_screenshots`: pages of the console, into docs/console."""

import random
import tempfile
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert

from console.operators import Role
from tests.browser.browsing import launched
from tests.browser.camera import FakeCamera
from tests.browser.console_page import ConsolePage, opened_console
from tests.browser.screenshots import keep
from tests.console import Console
from transparency.entry import Kind
from uniqueness.schema import OutcomeRow

FOLDER = Path(__file__).parents[2] / "docs/console"
PHONE = {"width": 360, "height": 740}
PAGES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("overview", "", {}),
    ("chain-dark", "chain", {"color_scheme": "dark"}),
    ("kiosks-phone", "kiosks", {"viewport": PHONE}),
)
REASONS = ("face_blurred", "face_too_dark", "no_face", "pose_not_shown")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        launched(FakeCamera(Path(folder) / "film.y4m")) as browser,
    ):
        for name, path, look in PAGES:
            directory = Path(folder) / name
            directory.mkdir()
            with opened_console(browser, directory, **look) as desk:
                a_day(desk.console)
                _keep(desk, path, name)


def _keep(desk: ConsolePage, path: str, name: str) -> None:
    desk.sign_up("ada", Role.ADMIN)
    desk.open(path)
    keep(desk.page, FOLDER / f"{name}.png")


def a_day(console: Console) -> None:
    """Fill the console with a day that nobody lived."""
    draw = random.Random(3)
    hour = int(console.clock()) // 3600
    outcomes = [
        {"hour": hour - 23 + i, "model": "model-1", "outcome": outcome, "reason": reason}
        for i in range(24)
        for _ in range(int(30 * max(0.0, 1 - abs(i - 13) / 9)))
        for outcome in draw.choices(("unique", "duplicate", "review", "rejected"), (80, 3, 3, 14))
        for reason in [draw.choice(REASONS) if outcome == "rejected" else ""]
    ]
    with console.engine.begin() as connection:
        connection.execute(insert(OutcomeRow), outcomes)
    console.decide(*range(12), 3)
    kiosks, turns = console.operations.kiosks, console.operations.turns
    for name, by, count in (
        ("Library", "ada", 9),
        ("Town hall", "ada", 4),
        ("Post office, north entrance", "ben", 6),
    ):
        key = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
        kiosk = kiosks.register(kiosks.invite(name, by=by), key)
        kiosks.remember(kiosk, "nonce", 2**40)
        for number in range(count):
            turn = turns.open(kiosk, ())
            if number % 4:
                turns.close(turn, "key")
            pseudonym = console.operations.journal.pseudonym(kiosk.id)
            kind = (Kind.UNIQUE, Kind.UNIQUE, Kind.REJECTED, Kind.UNIQUE, Kind.DUPLICATE)[
                number % 5
            ]
            console.operations.journal.record_alone(kind, kiosk=pseudonym)
    kiosks.revoke("Town hall")
    kiosks.invite("Station")


if __name__ == "__main__":
    main()
