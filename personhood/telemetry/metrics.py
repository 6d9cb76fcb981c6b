"""Metrics in Prometheus' text format: the only file that speaks to prometheus_client.

Every metric is in `CATALOG`, and only those can be told; docs/operations.md lists the same. No
label names a person, a session or a request: a kiosk's name is the operator's own, and an
operator has a pseudonym.
"""

import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

Kind = Literal["counter", "gauge", "histogram"]

MEDIA_TYPE: Final = CONTENT_TYPE_LATEST
_SECONDS: Final = (0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0)


@dataclass(frozen=True)
class Description:
    """A metric: its kind, what it tells, and its labels."""

    kind: Kind
    help: str
    labels: tuple[str, ...] = ()


CATALOG: Final[Mapping[str, Description]] = {
    "personhood_enrollments_total": Description(
        "counter",
        "Answers to enrolment requests, one sent again included",
        ("kiosk", "outcome", "reason"),
    ),
    "personhood_requests_total": Description(
        "counter", "Requests answered, by route and status", ("route", "status")
    ),
    "personhood_decision_seconds": Description(
        "histogram", "Seconds from an enrolment request to its answer"
    ),
    "personhood_kiosk_last_seen_timestamp_seconds": Description(
        "gauge", "When a kiosk last sent a request that its key signed", ("kiosk",)
    ),
    "personhood_kiosk_info": Description(
        "gauge",
        "1 for each kiosk that may enrol; by whom it was invited, as the audit report names them",
        ("kiosk", "operator"),
    ),
    "personhood_people": Description("gauge", "People enrolled and not removed"),
    "personhood_safe_population": Description(
        "gauge", "People up to which the error rates hold; absent without a calibration"
    ),
    "personhood_safe_population_used_ratio": Description(
        "gauge", "People by the safe population; absent without a calibration"
    ),
    "personhood_saturations_total": Description(
        "counter", "Probes near so many people that all of these had to be listed"
    ),
    "personhood_reviews_waiting": Description("gauge", "Enrolments that wait for a review"),
    "personhood_reviews_oldest_seconds": Description("gauge", "How long the first of them waits"),
    "personhood_log_entries": Description("gauge", "Entries of the decision log"),
    "personhood_concern": Description(
        "gauge", "1 for each reason why the service is degraded, see /v1/ready", ("code",)
    ),
    "personhood_chain_up": Description("gauge", "Whether the chain answered at the last look"),
    "personhood_publisher_pending": Description(
        "gauge", "Acceptances and removals that are not in the registry"
    ),
    "personhood_publisher_oldest_seconds": Description(
        "gauge", "How long the first of them waits; 0 where none does"
    ),
    "personhood_publisher_under_way": Description("gauge", "Transactions that are not final"),
    "personhood_root_members": Description("gauge", "Leaves of the published group"),
    "personhood_root_age_seconds": Description(
        "gauge", "Since the root was last seen to move; since the start of the monitor at most"
    ),
    "personhood_attesters": Description("gauge", "Attesters whom the registry knows"),
    "personhood_attesters_at_hand": Description(
        "gauge", "Attesters of the registry whom the publisher of this machine can ask"
    ),
    "personhood_attestation_quorum": Description("gauge", "How many of them have to sign"),
    "personhood_epoch": Description("gauge", "The current epoch"),
    "personhood_epoch_open": Description("gauge", "Whether its root is frozen, so that it pays"),
    "personhood_relayer_queued": Description("gauge", "Claims that wait at the relayer"),
    "personhood_relayer_unsettled": Description(
        "gauge", "Transactions whose claims are not told to be final or failed yet"
    ),
    "personhood_pool_claims": Description("gauge", "Claims that the pool can still pay"),
}


@dataclass(frozen=True)
class Figure:
    """A value of a gauge, or of a counter without labels, read when somebody asks."""

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


class Telemetry:
    """Counts what happens and tells it; safe to call from many threads.

    Args:
        figures: read anew each time that somebody asks.
    """

    def __init__(self, figures: Callable[[], Iterable[Figure]]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Figures(figures))
        self._counters = {
            name: Counter(name, about.help, about.labels, registry=self._registry)
            for name, about in CATALOG.items()
            if about.kind == "counter" and about.labels
        }
        self._histograms = {
            name: Histogram(name, about.help, buckets=_SECONDS, registry=self._registry)
            for name, about in CATALOG.items()
            if about.kind == "histogram"
        }

    def count(self, name: str, **labels: str) -> None:
        """Add one to a counter."""
        self._counters[name].labels(**labels).inc()

    def observe(self, name: str, seconds: float) -> None:
        """Count a duration."""
        self._histograms[name].observe(seconds)

    def exposition(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self._registry)


class _Figures(Collector):
    """What is read when somebody asks."""

    def __init__(self, figures: Callable[[], Iterable[Figure]]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """Group the figures by metric."""
        families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
        for figure in self._figures():
            about = CATALOG[figure.name]
            kind = CounterMetricFamily if about.kind == "counter" else GaugeMetricFamily
            if figure.name not in families:
                families[figure.name] = kind(figure.name, about.help, labels=list(about.labels))
            values = [figure.labels[label] for label in about.labels]
            families[figure.name].add_metric(values, figure.value)
        yield from families.values()

    def describe(self) -> Iterator[Metric]:
        """Nothing is read before somebody asks."""
        return iter(())


def metrics_route(telemetry: Telemetry, token: str) -> Route:
    """`GET /metrics`, for whoever has the token.

    Args:
        telemetry: what there is to tell.
        token: asked for as `Authorization: Bearer <token>`.
    """

    def metrics(request: Request) -> Response:
        given = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {token}".encode()):
            headers = {"WWW-Authenticate": 'Bearer realm="personhood-metrics"'}
            return PlainTextResponse("the metrics' token is asked for\n", 401, headers)
        return Response(telemetry.exposition(), media_type=MEDIA_TYPE)

    return Route("/metrics", metrics)


def metrics_app(telemetry: Telemetry, token: str, *routes: Route) -> Starlette:
    """An application that tells metrics, for a process that serves nothing else."""
    return Starlette(routes=[metrics_route(telemetry, token), *routes])
