"""The declared metrics: named by Prometheus's conventions, and able to tell nothing about anybody."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.metrics import METRICS, OF_PROCESS, Counter, Gauge, Histogram, names


@pytest.fixture
def undeclared() -> Iterator[None]:
    """Forget afterwards what the test has declared."""
    declared = list(METRICS)
    yield
    METRICS[:] = declared


def test_names_follow_the_conventions_of_prometheus() -> None:
    """https://prometheus.io/docs/practices/naming/"""
    for metric in METRICS:
        assert metric.name.startswith("ajar_")
        assert metric.name.endswith("_total") is (metric.kind == "counter")
        assert metric.kind != "histogram" or metric.name.endswith("_seconds")
        assert metric.help.endswith(".")
        assert bool(metric.label) is (metric.values != ("",))
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    assert "ajar_answer_seconds_bucket" in names()


@pytest.mark.usefixtures("undeclared")
def test_labels_have_only_declared_values() -> None:
    counter = Counter("ajar_x_total", "x.", "how", ("well", "badly"))
    gauge = Gauge("ajar_x", "x.", "how", ("well", "badly"))
    counter.inc("well")
    gauge.set(3, "badly")
    assert (counter.counted, gauge.now) == ({"well": 1, "badly": 0}, {"badly": 3})
    with pytest.raises(KeyError):
        counter.inc("Alice")
    with pytest.raises(ValueError, match="has no Alice"):
        gauge.set(1, "Alice")


@pytest.mark.usefixtures("undeclared")
def test_histogram_fills_the_right_bucket() -> None:
    histogram = Histogram("ajar_x_seconds", "x.", bounds=(0.1, 1.0))
    for seconds in (0.05, 0.1, 0.5, 7.0):
        histogram.observe(seconds)
    assert histogram.counts == [2, 1, 1]
    assert histogram.sum == pytest.approx(7.65)


def test_operating_page_explains_every_metric() -> None:
    page = (Path(__file__).parent.parent / "docs" / "operating.md").read_text("utf-8")
    rows = re.findall(r"^\| ((?:`ajar_\w+`,? ?)+)(\*?) ?\|", page, re.MULTILINE)
    explained = {name: mark == "*" for named, mark in rows for name in re.findall(r"`(\w+)`", named)}
    assert explained == {metric.name: metric.activity for metric in METRICS}
    assert set(re.findall(r"`(process_\w+)`", page)) == set(OF_PROCESS)
