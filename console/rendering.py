"""Pages from templates, with the headers that every answer of the console has."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from console.operators import Clock, Permission
from console.sessions import Session
from enrollment.kiosk_files import HEADERS as PAGE_HEADERS

FOLDER: Final = Path(__file__).parent

# Nothing from elsewhere, nothing inline, no frame around it; forms go to the console alone.
HEADERS: Final = {
    **PAGE_HEADERS,
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "connect-src 'self'",
            "style-src 'self'",
            "font-src 'self'",
            "img-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    ),
    # Browsers tell no origin with a form where they are to tell no referrer.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), fullscreen=(), geolocation=(), microphone=(), payment=(), "
    "usb=(), publickey-credentials-create=(self), publickey-credentials-get=(self)",
}


@dataclass(frozen=True)
class Place:
    """A page that the navigation leads to, for those who may see it."""

    path: str
    title: str
    icon: str
    permission: Permission


PLACES: Final = (
    Place("/console/", "Overview", "overview", Permission.READ),
    Place("/console/reviews", "Reviews", "reviews", Permission.READ),
    Place("/console/kiosks", "Kiosks", "kiosks", Permission.READ),
    Place("/console/chain", "Chain", "chain", Permission.READ),
    Place("/console/receipts", "Receipts", "receipts", Permission.READ),
    Place("/console/report", "Report", "report", Permission.AUDIT),
    Place("/console/activity", "Activity", "activity", Permission.AUDIT),
    Place("/console/operators", "Operators", "operators", Permission.CONFIGURE),
)


class Renderer:
    """Makes answers of templates."""

    def __init__(self, clock: Clock) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {
            "moment": moment,
            "ago": lambda at: ago(clock() - at),
            "duration": duration,
            "number": lambda value: f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}"),
        }

    def page(
        self,
        template: str,
        session: Session | None = None,
        status: int = 200,
        **values: Any,
    ) -> HTMLResponse:
        """Fill in a template; what it shows of the session comes from the session alone."""
        return HTMLResponse(self.text(template, session, **values), status)

    def text(self, template: str, session: Session | None = None, **values: Any) -> str:
        """Fill in a template, or a part of a page."""
        return self._templates.get_template(template).render({**_frame(session), **values})


def moment(at: float) -> Markup:
    """Write a time, Unix seconds, for people and for programs."""
    time = datetime.fromtimestamp(at, UTC)
    machine, human = time.isoformat(timespec="seconds"), f"{time:%-d %b %Y, %H:%M} UTC"
    return Markup('<time datetime="{}">{}</time>').format(machine, human)


def ago(seconds: float) -> str:
    """Write how long ago something was."""
    return f"{duration(seconds)} ago" if seconds >= 60 else "just now"


def duration(seconds: float) -> str:
    """Write a length of time by its largest unit."""
    for size, unit in ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "no time"


def _frame(session: Session | None) -> Mapping[str, Any]:
    """What every page shows around itself."""
    if session is None:
        return {"operator": None, "form_token": "", "places": ()}
    operator = session.operator
    return {
        "operator": operator,
        "form_token": session.form_token,
        "places": [place for place in PLACES if operator.may(place.permission)],
    }
