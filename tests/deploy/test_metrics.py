"""Alerts and dashboard ask only for what /metrics shows, and each of them names a metric."""

import json
import re
import shutil
import subprocess

import pytest

from bot.metrics import METRICS, names
from tests.deploy.files import DEPLOY, documents_of

(ALERTS,) = documents_of("deploy/prometheus/alerts.yml")
RULES = {rule["alert"]: rule for group in ALERTS["groups"] for rule in group["rules"]}
DASHBOARD = json.loads((DEPLOY / "grafana" / "ajar.json").read_text("utf-8"))
PANELS = {panel["title"]: panel for panel in DASHBOARD["panels"] if panel["type"] != "row"}
OF_PROMETHEUS = {"up"}
WANTED = (
    "AjarIsLate",
    "AjarGaveUpAnUpdate",
    "AjarCannotOpen",
    "AjarCommitsNothing",
    "AjarDiskIsNearlyFull",
    "AjarHasNoNewBackup",
)


def _metrics_in(query: str) -> set[str]:
    plain = re.sub(r"\{[^}]*\}|\"[^\"]*\"|\b(?:by|without) \([^)]*\)", "", query)
    return set(re.findall(r"\b(?:ajar|process|up)(?:_\w+)?\b", plain))


def _labels_in(query: str) -> set[tuple[str, str, str]]:
    """Return (metric, label, value) of each comparison with a fixed value."""
    chosen = re.findall(r"\b(ajar_\w+)\{([^}]*)\}", query)
    return {(metric, *pair) for metric, inside in chosen for pair in re.findall(r'(\w+)="([^"]*)"', inside)}


def _check(query: str) -> None:
    used = _metrics_in(query)
    assert used, query
    assert used <= names() | OF_PROMETHEUS, query
    declared = {metric.name: metric for metric in METRICS}
    for name, label, value in _labels_in(query):
        assert declared[name].label == label
        assert value in declared[name].values


@pytest.mark.parametrize("alert", RULES)
def test_alerts_ask_for_metrics_that_exist(alert: str) -> None:
    _check(RULES[alert]["expr"])
    assert RULES[alert]["labels"]["severity"] in {"page", "ticket"}
    assert set(RULES[alert]["annotations"]) == {"summary", "action"}


@pytest.mark.parametrize("name", ["prometheus.yml", "kubernetes.yml"])
def test_job_has_the_name_that_alerts_and_dashboard_ask_for(name: str) -> None:
    (config,) = documents_of(f"deploy/prometheus/{name}")
    (job,) = config["scrape_configs"]
    asked = re.findall(r'job="(\w+)"', json.dumps(ALERTS).replace("\\", "") + json.dumps(DASHBOARD).replace("\\", ""))
    assert len(asked) > 2
    assert set(asked) == {job["job_name"]}


def test_what_must_wake_somebody_up_does() -> None:
    for alert in WANTED:
        assert RULES[alert]["labels"]["severity"] == "page"


@pytest.mark.parametrize("title", PANELS)
def test_dashboard_asks_for_metrics_that_exist(title: str) -> None:
    for target in PANELS[title]["targets"]:
        _check(target["expr"])


def test_every_metric_is_on_the_dashboard() -> None:
    """What nobody looks at needn't be measured."""
    shown = {name for panel in PANELS.values() for target in panel["targets"] for name in _metrics_in(target["expr"])}
    alerted = {name for rule in RULES.values() for name in _metrics_in(rule["expr"])}
    plain = {re.sub("_(bucket|count|sum)$", "", name) for name in shown | alerted}
    assert {metric.name for metric in METRICS} <= plain


def test_panels_lie_beside_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not taken & cells
        taken |= cells
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)


def test_unknown_metric_is_noticed() -> None:
    """Check the check itself."""
    for query in ("sum(rate(ajar_nothing_total[5m]))", 'ajar_problem{about="weather"}', "1 > 0"):
        with pytest.raises(AssertionError):
            _check(query)


def test_alerts_fire_only_when_they_should() -> None:
    """Prometheus's own tool runs deploy/prometheus/alerts_test.yml."""
    if not (promtool := shutil.which("promtool")):
        pytest.skip("promtool isn't installed")
    done = subprocess.run(
        [promtool, "test", "rules", DEPLOY / "prometheus" / "alerts_test.yml"], capture_output=True, text=True,
        check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
