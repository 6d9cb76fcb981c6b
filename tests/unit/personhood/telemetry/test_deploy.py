"""Dashboard and alert rules name metrics that are told; what is told is documented."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from promql_parser import Expr, MatrixSelector, VectorSelector, parse, walk

from enrollment.errors import FrameMirrored, PosesMirrored
from personhood.telemetry.health import Concern
from personhood.telemetry.metrics import CATALOG

ROOT = Path(__file__).parents[4]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
VALUES = {  # of labels, that a rule or a panel may ask for
    *("accepted", "duplicate", "review", "refused", "failed"),
    *("personhood", "personhood-(monitor", "relayer)"),
    *(FrameMirrored.code, PosesMirrored.code),
}
SUFFIXES = ("_bucket", "_sum", "_count")


def metrics_in(text: str) -> set[str]:
    found = set(re.findall(r"\bpersonhood_[a-z_]+", text))
    for suffix in SUFFIXES:
        found = {name.removesuffix(suffix) if name not in CATALOG else name for name in found}
    return found


@pytest.fixture(scope="module")
def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load((ROOT / "deploy" / "alerts.yml").read_text())
    assert document.keys() == {"groups"}
    return [rule for group in document["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def dashboard() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((ROOT / "deploy" / "grafana-dashboard.json").read_text())
    return document


def test_every_rule_has_the_form_that_prometheus_takes(rules: list[dict[str, Any]]) -> None:
    names = [rule["alert"] for rule in rules]
    assert len(names) == len(set(names))
    for rule in rules:
        assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}, rule
        assert re.fullmatch(r"\d+[smhd]", rule.get("for", "0s"))
        assert rule["labels"]["severity"] in {"page", "ticket", "info"}
        assert rule["annotations"].keys() == {"summary", "action"}


def test_every_metric_of_a_rule_is_told(rules: list[dict[str, Any]]) -> None:
    named = metrics_in(" ".join(rule["expr"] for rule in rules))
    assert named <= CATALOG.keys()
    labels = {label for about in CATALOG.values() for label in about.labels} | {"le"}
    for rule in rules:
        for used in re.findall(r"by \(([a-z, ]+)\)", rule["expr"]):
            assert set(used.split(", ")) <= labels
        for used in re.findall(r"\$labels\.([a-z]+)", json.dumps(rule["annotations"])):
            assert used in rule["expr"]


def selectors(expression: str) -> list[VectorSelector]:
    """Every metric that an expression reads; Prometheus' grammar decides whether it is one."""
    found: list[VectorSelector] = []

    def visit(node: Expr) -> None:
        selector = node.vector_selector if isinstance(node, MatrixSelector) else node
        if isinstance(selector, VectorSelector):
            found.append(selector)

    walk(parse(expression), visit)
    return found


def test_every_expression_is_promql_of_metrics_and_labels_that_are_told(
    rules: list[dict[str, Any]], dashboard: dict[str, Any]
) -> None:
    queries = [t["expr"] for panel in dashboard["panels"] for t in panel["targets"]]
    for expression in (*(rule["expr"] for rule in rules), *queries):
        read = selectors(expression)
        assert read, expression
        for selector in read:
            (name, *_) = metrics_in(str(selector.name)) or ["up"]
            known = {*CATALOG[name].labels, "le"} if name in CATALOG else {"job"}
            for matcher in selector.matchers.matchers:
                assert matcher.name in known, expression
                assert set(matcher.value.split("|")) <= VALUES, expression


def test_every_rule_is_set_off_by_its_own_test(rules: list[dict[str, Any]]) -> None:
    """`promtool test rules deploy/alerts.test.yml` runs them; none may be left out there."""
    bad, quiet = yaml.safe_load((ROOT / "deploy" / "alerts.test.yml").read_text())["tests"]
    set_off = re.findall(
        r'alertname="(\w+)"',
        json.dumps(bad["promql_expr_test"][0]["exp_samples"]).replace("\\", ""),
    )
    assert sorted(set_off) == sorted(rule["alert"] for rule in rules)
    assert quiet["promql_expr_test"][0]["exp_samples"] == []
    for test in (bad, quiet):
        told = metrics_in(" ".join(series["series"] for series in test["input_series"]))
        assert told <= CATALOG.keys()


def test_what_has_to_be_alarmed_is(rules: list[dict[str, Any]]) -> None:
    wanted = {"RootNotAdvanced", "ReviewsOld", "DuplicatesBurst", "QuorumMissing"}
    assert wanted | {"SafePopulationNear"} <= {rule["alert"] for rule in rules}


def test_every_metric_of_the_dashboard_is_told_and_every_one_told_is_on_it(
    dashboard: dict[str, Any],
) -> None:
    identifiers = [panel["id"] for panel in dashboard["panels"]]
    assert len(identifiers) == len(set(identifiers))
    expressions = [t["expr"] for panel in dashboard["panels"] for t in panel["targets"]]
    assert metrics_in(" ".join(expressions)) == set(CATALOG)


def test_the_scrape_configuration_is_yaml_and_shows_a_token() -> None:
    document = yaml.safe_load((ROOT / "deploy" / "prometheus.yml").read_text())
    assert all("authorization" in job for job in document["scrape_configs"])


def test_every_metric_and_concern_is_documented_and_no_other() -> None:
    table = OPERATIONS.partition("## Metrics")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(personhood_[a-z_]+)", table, re.M)) == set(CATALOG)
    for concern in Concern:
        assert f"`{concern.value}`" in OPERATIONS
