"""The report for people, as one HTML file that needs nothing else: no script, no request."""

import io
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from personhood.audit_report.document import Document
from personhood.audit_report.section import Plot


def to_html(document: Document) -> str:
    """Draw the report."""
    environment = Environment(
        loader=PackageLoader("personhood.audit_report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["svg"] = _svg
    page = environment.get_template("report.html.j2")
    return page.render(document=document, basis=basis_lines(document.basis))


def basis_lines(basis: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the report rests on, as people read it."""
    lines = [
        ("models", ", ".join(basis["models"])),
        ("calibration", str(basis["calibration"])),
    ]
    for name in ("log", "gallery", "trials", "chain"):
        state = basis[name]
        text = ", ".join(f"{key} {value}" for key, value in state.items()) if state else "none"
        lines.append((name, text))
    return [*lines, ("read at", f"{basis['moment']}")]


def _svg(plot: Plot) -> Markup:
    """The picture as an inline element, the same bytes for the same figures."""
    from matplotlib import rc_context

    with rc_context({"svg.hashsalt": plot.name, "svg.fonttype": "path"}):
        text = io.StringIO()
        plot.draw().savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    drawn = text.getvalue()
    label = Markup.escape(plot.alt)
    opening = f'<svg role="img" aria-label="{label}" '
    # Drawn here, from numbers and fixed words: nothing in it was written by a stranger.
    return Markup(drawn[drawn.index("<svg ") :].replace("<svg ", opening, 1))
