"""What the enrolment service tells: how requests ended, and how the gallery stands."""

import time
from collections.abc import Iterator

from enrollment.errors import EnrollmentError
from enrollment.kiosks import KioskRegistry
from enrollment.requests import RequestEnd
from personhood.telemetry.health import Concern, Vitals
from personhood.telemetry.metrics import Figure, Telemetry
from transparency.errors import TransparencyError
from transparency.journal import Journal
from uniqueness.errors import UniquenessError
from uniqueness.gallery import Gallery

_ENROLL = "/v1/enrollments"
_NO_ROUTE = "none"  # of a request that no route takes: its path is anybody's text


def service_telemetry(vitals: Vitals, journal: Journal, kiosks: KioskRegistry) -> Telemetry:
    """The service's metrics; the database is asked each time that somebody asks for them."""

    def figures() -> list[Figure]:
        try:
            return list(read())
        except (UniquenessError, EnrollmentError, TransparencyError):
            return [Figure("personhood_concern", 1, {"code": Concern.STANDSTILL.value})]

    def read() -> Iterator[Figure]:
        yield from gallery_figures(vitals.gallery, vitals.safe_population)
        waiting = vitals.waiting_since()
        oldest = time.time() - waiting[0] if waiting else 0.0
        yield Figure("personhood_reviews_waiting", len(waiting))
        yield Figure("personhood_reviews_oldest_seconds", max(0.0, oldest))
        yield Figure("personhood_log_entries", journal.log.size())
        yield from kiosk_figures(kiosks, journal)
        for concern in vitals.concerns():
            yield Figure("personhood_concern", 1, {"code": concern.value})

    return Telemetry(figures)


def gallery_figures(gallery: Gallery, safe_population: int | None) -> Iterator[Figure]:
    """How the gallery stands."""
    people = len(gallery)
    yield Figure("personhood_people", people)
    yield Figure("personhood_saturations_total", gallery.saturations)
    if safe_population is not None:
        yield Figure("personhood_safe_population", safe_population)
        yield Figure("personhood_safe_population_used_ratio", people / max(1, safe_population))


def kiosk_figures(kiosks: KioskRegistry, journal: Journal) -> Iterator[Figure]:
    """Who answers for each kiosk that may enrol, where anybody does, and its last request."""
    for kiosk in kiosks.all():
        if kiosk.revoked_at is not None:
            continue
        operator = journal.operator_pseudonym(kiosk.invited_by) if kiosk.invited_by else ""
        yield Figure("personhood_kiosk_info", 1, {"kiosk": kiosk.name, "operator": operator})
        if kiosk.last_seen_at is not None:
            name = "personhood_kiosk_last_seen_timestamp_seconds"
            yield Figure(name, kiosk.last_seen_at, {"kiosk": kiosk.name})


def observe(telemetry: Telemetry, end: RequestEnd) -> None:
    """Count how a request ended."""
    telemetry.count(
        "personhood_requests_total", route=end.route or _NO_ROUTE, status=str(end.status)
    )
    if end.route == _ENROLL and end.kiosk:
        telemetry.observe("personhood_decision_seconds", end.seconds)
        telemetry.count(
            "personhood_enrollments_total",
            kiosk=end.kiosk,
            outcome=end.outcome or ("failed" if end.status >= 500 else "refused"),
            reason=end.code or "",
        )
