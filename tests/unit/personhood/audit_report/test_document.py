"""The report's figures, what is withheld of them, and two reports compared."""

import copy
import csv
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pypdfium2
import pytest

from personhood.audit_report.document import Document, compare, read_report, write_report
from personhood.audit_report.page import to_html
from personhood.audit_report.pdf import write_pdf
from personhood.audit_report.section import WITHHELD
from personhood.audit_report.sources import Sources
from personhood.errors import ReportUnreadable
from tests.unit.personhood.audit_report.sources import NOTE, some_sources, with_event
from tests.unit.uniqueness.test_calibration import calibration
from uniqueness.calibration import Calibration
from uniqueness.metrics.activity import Event
from uniqueness.metrics.rates import counted_rate

__all__ = ["calibration"]  # a fixture

BASIS = {
    "models": ["model-1"],
    "calibration": "c" * 64,
    "log": {"entries": 7},
    "gallery": {"people": 4096, "closed_blocks": 4},
    "trials": {},
    "chain": {"block": 40},
    "moment": "2026-01-31T12:00",
}


def made(sources: Sources, **basis: object) -> Document:
    return write_report(sources, BASIS | basis)


@pytest.fixture(scope="module")
def document(calibration: Calibration) -> Document:
    return made(some_sources(calibration, bad_kiosk="c"))


@pytest.fixture(scope="module")
def html(document: Document) -> str:
    return to_html(document)


def test_rates_stand_with_interval_and_n(document: Document, html: str) -> None:
    rates = {
        (r["measure"], r["kind"]): r for r in document.as_data()["sections"]["error_rates"]["rates"]
    }
    truth = counted_rate(7, 90)
    screen = rates["apcer", "screen"]
    assert (screen["low"], screen["high"], screen["trials"]) == (truth.low, truth.high, 90)
    assert rates["fta", ""]["hits"] == 44
    assert "worst kind of attack: screen" in html


def test_expectations_are_the_calibrations(document: Document, calibration: Calibration) -> None:
    expected = document.as_data()["sections"]["expected"]
    truth = calibration.expected(4096)
    assert expected["review_fpir"]["high"] == truth.review_fpir.high
    assert expected["safe_population"] == calibration.safe_population
    assert expected["fnir"]["n"] == calibration.misses.people


def test_the_tail_and_drift_are_of_the_histogram(document: Document) -> None:
    nearest = document.as_data()["sections"]["nearest"]
    counted = sum(nearest["histograms"][0]["counts"].values())
    assert 1000 < nearest["tail"]["above"] < nearest["tail"]["samples"] <= counted
    assert [drift["is_alarm"] for drift in nearest["drift"]] == [False, False]


def test_who_stands_out_is_told_first(document: Document, html: str) -> None:
    assert any(alarm.startswith("Kiosk c has more") for alarm in document.alarms)
    assert "Kiosk c has more" in html.split("</section>", maxsplit=1)[0]
    quiet = made(some_sources(blocks=1))
    assert not any("Kiosk" in alarm for alarm in quiet.alarms)
    assert any("No calibration" in alarm for alarm in quiet.alarms)


def test_small_counts_are_in_no_form_of_the_report() -> None:
    document = made(with_event(some_sources(blocks=0), Event("unique", "", 5, "tiny")))
    outcomes = document.as_data()["sections"]["outcomes"]
    assert outcomes["reasons"] == {"face_blurred": None, "no_face": None}
    of_kiosk = outcomes["by_kiosk_span_and_outcome"][outcomes["kiosks"].index("tiny")]
    assert {of_kiosk[-1][0], of_kiosk[-1][-1]} == {None}
    assert re.search(rf"no_face</th><td>{WITHHELD}<", to_html(document))
    assert document.as_data()["sections"]["nearest"].keys() == {"basis"}
    assert "outcomes,reasons.no_face,\r\n" in document.to_csv()


def by_operators(sources: Sources) -> Sources:
    """Kiosk a is ada's, b and every other one ben's, but for c."""
    owners = {"a": "ada", "c": ""}
    events = [replace(e, operator=owners.get(e.kiosk, "ben")) for e in sources.events]
    return replace(sources, log=replace(sources.log, events=tuple(events)))


def test_outcomes_are_counted_by_operator(calibration: Calibration) -> None:
    mirrored = Event("rejected", "frame_mirrored", 100, "b")
    document = made(
        by_operators(with_event(some_sources(calibration, bad_kiosk="c"), *[mirrored] * 45))
    )
    outcomes = document.as_data()["sections"]["outcomes"]
    assert outcomes["operators"] == ["ada", "ben", "command line", "all"]
    assert outcomes["operator_of_kiosk"] == ["ada", "ben", "command line"]
    totals = [lines[-1][-1] for lines in outcomes["by_operator_span_and_outcome"]]
    assert totals == [470, 519, 40, 1029]
    assert outcomes["mirrored"] == 45
    alarms = document.as_data()["sections"]["bursts"]["alarms"]
    named = {(alarm["where"], alarm["group"], alarm["outcome"]) for alarm in alarms}
    assert {("kiosk", "b", "mirrored"), ("operator", "ben", "mirrored")} <= named
    assert ("operator", "command line", "duplicate") in named
    html = to_html(document)
    assert "Mirrored captures: 45 attempts" in html
    assert "Operator ben has more attempts that were mirrored" in html


def test_neither_reasons_nor_rates_give_a_withheld_outcome_back() -> None:
    """3 of 503 were unique: with 500 rejections told anywhere, everybody could tell."""
    events = [Event("unique", "", 5, "a")] * 3
    events += [Event("rejected", code, 5, "a") for code in ["no_face", "face_blurred"] * 250]
    sources = some_sources(blocks=0)
    document = made(replace(sources, log=replace(sources.log, events=tuple(events)), trials=()))
    sections = document.as_data()["sections"]
    assert sections["outcomes"]["outcomes"]["attempts"] == 503
    assert sections["outcomes"]["outcomes"]["unique"] is None
    assert set(sections["outcomes"]["reasons"].values()) == {None}
    assert sections["error_rates"]["rates"] == []


def test_rates_of_attacks_give_no_withheld_reason_back() -> None:
    """20 + 3 attacks: with their sum told, the 3 would be."""
    reasons = {
        "presentation_attack_suspected": 20,
        "frame_reused": 3,
        "no_face": 12,
        "face_turned": 90,
    }
    events = [Event("unique", "", 5, "a")] * 500
    events += [Event("rejected", name, 5, "a") for name, n in reasons.items() for _ in range(n)]
    sources = some_sources(blocks=0)
    document = made(replace(sources, log=replace(sources.log, events=tuple(events)), trials=()))
    sections = document.as_data()["sections"]
    shown = sections["outcomes"]["reasons"]
    rates = {rate["measure"]: rate["hits"] for rate in sections["error_rates"]["rates"]}
    assert shown["frame_reused"] is None
    assert (shown["presentation_attack_suspected"] is None) or "bpcer" not in rates
    assert rates["fta"] in {102, 125}


def test_few_mirrored_captures_are_withheld_with_their_sum() -> None:
    mirrored = Event("rejected", "poses_mirrored", 100, "b")
    document = made(with_event(some_sources(blocks=0), mirrored))
    assert document.as_data()["sections"]["outcomes"]["mirrored"] is None
    assert f"{WITHHELD} every pose of the other side" in to_html(document)


def test_the_checkpoint_is_told_as_it_was_signed(document: Document, html: str) -> None:
    assert json.loads(document.to_json())["checkpoint"] == NOTE
    assert f'<pre tabindex="0">{NOTE}</pre>' in html


def test_a_log_that_forked_is_a_difference(document: Document) -> None:
    logs = [{"origin": "log", "entries": 7, "root": root} for root in ("00", "01")]
    here, there = ({**document.as_data(), "basis": {**BASIS, "log": log}} for log in logs)
    (difference,) = compare(here, there).differences
    assert (difference.figure, difference.here, difference.there) == ("log.root", "00", "01")


def test_the_same_sources_give_the_same_files(
    document: Document, html: str, calibration: Calibration
) -> None:
    again = made(some_sources(calibration, bad_kiosk="c"))
    assert again.to_json() == document.to_json()
    assert to_html(again) == html
    found = compare(again.as_data(), json.loads(document.to_json()))
    assert (found.differences, found.moved_on) == ((), ())


def test_a_figure_that_was_changed_is_named(document: Document) -> None:
    forged = copy.deepcopy(document.as_data())
    forged["sections"]["claims"]["epochs"][1]["claims"] = 119
    (difference,) = compare(document.as_data(), forged).differences
    assert (difference.section, difference.figure) == ("claims", "epochs.1.claims")
    assert (difference.here, difference.there) == (120, 119)


def test_another_state_is_not_compared(document: Document, calibration: Calibration) -> None:
    sources = with_event(some_sources(calibration, bad_kiosk="c"), Event("unique", "", 5, "a"))
    later = made(sources, log={"entries": 8})
    found = compare(later.as_data(), document.as_data())
    assert found.moved_on == ("error_rates", "outcomes", "bursts")
    assert found.differences == ()
    same_basis = compare(made(sources).as_data(), document.as_data())
    sections = {one.section for one in same_basis.differences}
    assert sections == {"error_rates", "outcomes"}


def test_every_figure_is_a_line_of_the_csv(document: Document) -> None:
    rows = list(csv.DictReader(document.to_csv().splitlines()))
    figures = {(row["section"], row["figure"]): row["value"] for row in rows}
    assert len(figures) == len(rows)
    assert figures["claims", "epochs.0.paid"] == "3250"


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [
            value or "" for name, value in attributes if name in {"src", "href", "xlink:href"}
        ]


def test_the_page_needs_nothing_else_and_runs_nothing(html: str) -> None:
    page = Page()
    page.feed(html)
    assert not {"script", "link", "iframe", "img"} & set(page.tags)
    assert all(address.startswith("#") for address in page.addresses)
    assert page.tags.count("svg") == html.count('role="img" aria-label=') == 5


def test_names_are_text_and_no_markup(calibration: Calibration) -> None:
    sources = some_sources(calibration, bad_kiosk="<script>alert(1)</script>")
    told = to_html(made(sources))
    assert "<script" not in told
    assert "&lt;script&gt;" in told


def test_the_pdf_says_the_same(document: Document, tmp_path: Path) -> None:
    write_pdf(tmp_path / "report.pdf", document)
    pages = pypdfium2.PdfDocument(tmp_path / "report.pdf")
    text = " ".join(page.get_textpage().get_text_range() for page in pages)
    pages.close()
    for section in document.sections:
        assert section.title in text
    assert "Kiosk c has more" in text
    assert "650" in text
    assert NOTE.split("\n")[2] in text
    write_pdf(tmp_path / "again.pdf", document)
    assert (tmp_path / "again.pdf").read_bytes() == (tmp_path / "report.pdf").read_bytes()


def test_nothing_happened_yet(tmp_path: Path) -> None:
    sources = some_sources(blocks=0)
    sources = replace(sources, log=replace(sources.log, events=()), trials=(), chain=None)
    document = made(sources)
    write_pdf(tmp_path / "report.pdf", document)
    assert "Nobody stands out" in to_html(document)


@pytest.mark.parametrize("text", ["{}", "no json", '{"format": "personhood-audit-report"}', "[]"])
def test_what_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "other.json").write_text(text)
    with pytest.raises(ReportUnreadable):
        read_report(tmp_path / "other.json")
    with pytest.raises(ReportUnreadable):
        read_report(tmp_path / "missing.json")
