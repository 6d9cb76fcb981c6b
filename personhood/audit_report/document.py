"""The report as one value: its basis, its sections, its forms for programs, and what differs."""

import csv
import datetime
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from personhood.audit_report.claims import claims
from personhood.audit_report.nearest import nearest
from personhood.audit_report.operation import bursts, gallery, outcomes, queue
from personhood.audit_report.performance import error_rates, expected
from personhood.audit_report.section import Section
from personhood.audit_report.sources import Sources
from personhood.errors import ReportUnreadable

FORMAT: Final = "personhood-audit-report"
VERSION: Final = 2
_BUILDERS = (expected, error_rates, outcomes, bursts, gallery, nearest, queue, claims)


@dataclass(frozen=True)
class Document:
    """A report.

    Args:
        basis: by source, what identifies the state it was in; equal ones give equal sections.
        sections: in their order.
        checkpoint: of the decision log that the report was made from, a signed note.
        made_on: ISO 8601 date.
    """

    basis: Mapping[str, Any]
    sections: tuple[Section, ...]
    checkpoint: str
    made_on: str

    @property
    def alarms(self) -> tuple[str, ...]:
        """What somebody should look at, over all sections."""
        return tuple(alarm for section in self.sections for alarm in section.alarms)

    def as_data(self) -> dict[str, Any]:
        """The report for programs, of plain values."""
        document = {
            "format": FORMAT,
            "version": VERSION,
            "made_on": self.made_on,
            "basis": self.basis,
            "checkpoint": self.checkpoint,
            "alarms": self.alarms,
            "sections": {s.name: {"basis": s.basis, **s.data} for s in self.sections},
        }
        plain: dict[str, Any] = json.loads(json.dumps(document, allow_nan=False))
        return plain

    def to_json(self) -> str:
        """`as_data` as text."""
        return json.dumps(self.as_data(), indent=2)

    def to_csv(self) -> str:
        """Every figure on a line of its own: where it stands, and its value."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(("section", "figure", "value"))
        for name, section in self.as_data()["sections"].items():
            for path, value in _leaves(section):
                writer.writerow((name, path, "" if value is None else value))
        return text.getvalue()


@dataclass(frozen=True)
class Difference:
    """A figure that is not the same in two reports of the same basis."""

    section: str
    figure: str
    here: Any
    there: Any


@dataclass(frozen=True)
class Comparison:
    """Two reports, figure by figure.

    Args:
        differences: where the basis is the same, so that there should be none.
        moved_on: sections whose basis is another, so that nothing follows from them.
    """

    differences: tuple[Difference, ...]
    moved_on: tuple[str, ...]


def write_report(sources: Sources, basis: Mapping[str, Any]) -> Document:
    """Make the report."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    sections = tuple(build(sources) for build in _BUILDERS)
    return Document(basis, sections, sources.log.checkpoint, today)


def read_report(path: Path) -> dict[str, Any]:
    """Read a report's JSON.

    Raises:
        ReportUnreadable: it is none, or of another version.
    """
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ReportUnreadable(f"{path} cannot be read: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ReportUnreadable(f"{path} is not a report.json of `personhood audit report`")
    if document.get("version") != VERSION:
        raise ReportUnreadable(f"{path} is of version {document.get('version')}, not {VERSION}")
    return document


def compare(here: Mapping[str, Any], there: Mapping[str, Any]) -> Comparison:
    """Compare two reports' data, section by section, and the logs they were made from."""
    differences, moved_on = _fork(here["basis"]["log"], there["basis"]["log"]), []
    for name, section in here["sections"].items():
        other = there["sections"].get(name)
        states = [(here["basis"].get(key), there["basis"].get(key)) for key in section["basis"]]
        if other is None or any(mine != theirs for mine, theirs in states):
            moved_on.append(name)
            continue
        mine, theirs = dict(_leaves(section)), dict(_leaves(other))
        differences += [
            Difference(name, path, mine.get(path), theirs.get(path))
            for path in sorted(mine.keys() | theirs.keys())
            if mine.get(path) != theirs.get(path)
        ]
    return Comparison(tuple(differences), tuple(moved_on))


def _fork(here: Mapping[str, Any], there: Mapping[str, Any]) -> list[Difference]:
    """One log has one root over its first entries: with another one it is not the same log."""
    heads = [(log.get("origin"), log["entries"]) for log in (here, there)]
    roots = [log.get("root") for log in (here, there)]
    if heads[0] != heads[1] or roots[0] == roots[1]:
        return []
    return [Difference("basis", "log.root", *roots)]


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value within, by the names and places that lead to it."""
    if isinstance(value, list):
        value = {str(place): part for place, part in enumerate(value)}
    if not isinstance(value, dict):
        yield path, value
        return
    for name, part in value.items():
        yield from _leaves(part, f"{path}.{name}" if path else name)
