"""/metrics: the metrics of `bot.metrics`, in Prometheus's format.

Values that aren't counted as they happen are read when somebody asks, at most every few seconds. If reading fails,
those values are left out and everything else is shown.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import (
    Metric as Family,
)
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from bot import __version__, metrics
from bot.clock import Clock
from bot.logs import ThrottledLog, safe_error
from bot.metrics import METRICS, Counter, Gauge, Histogram, Metric
from bot.storage.backlog import Backlog
from bot.storage.migrate import HEAD
from bot.storage.retention import backups_in, followed_at, made_at
from bot.storage.store import Store

CACHED: Final = 5.0
"""Seconds for which we reuse what we have read, so that frequent requests cost only one reading."""
_TIMEOUT: Final = 5.0

_READ_FROM_ROWS: Final = (
    metrics.INBOX_UNHANDLED, metrics.INBOX_OLDEST, metrics.OUTBOX_DUE, metrics.OUTBOX_OLDEST, metrics.ASKS_WAITING,
)  # fmt: skip
throttled = ThrottledLog(structlog.stdlib.get_logger(__name__))


class Metrics(Collector):
    """Answers /metrics."""

    def __init__(self, problems: Callable[[], Awaitable[Mapping[str, str]]], clock: Clock) -> None:
        """`problems` returns what /health/ready reports."""
        self._problems = problems
        self._clock = clock
        self._store: Store | None = None
        self._database: Path | None = None
        self._backups: Path | None = None
        self._refresh: Callable[[], None] = lambda: None
        self._enough_people = False
        self._looking = asyncio.Lock()
        self._looked_at = float("-inf")
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def watch(
        self, store: Store, refresh: Callable[[], None], *, database: Path | None = None, backups: Path | None = None
    ) -> None:
        """From now on also read the database, and with SQLite the disk of its file, and the folder of backups.

        `refresh` sets the gauges about this process's memory.
        """
        self._store = store
        self._refresh = refresh
        self._database = database
        self._backups = backups

    async def show(self, _request: web.Request) -> web.Response:
        await self._look()
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    def collect(self) -> Iterator[Family]:
        """Yield the metrics that may be shown; with few users, counts of their activity may not."""
        for metric in METRICS:
            if self._enough_people or not metric.activity:
                yield _family(metric)

    async def _look(self) -> None:
        async with self._looking:
            loop = asyncio.get_running_loop()
            if loop.time() - self._looked_at <= CACHED:
                return
            metrics.SCHEMA_VERSION.set(int(HEAD))
            problems = await self._problems()
            for about in metrics.PROBLEMS.values:
                metrics.PROBLEMS.set(about in problems, about)
            self._refresh()
            if self._store:
                await self._look_at_database(self._store)
                await asyncio.to_thread(self._look_at_disk)
            self._looked_at = loop.time()

    async def _look_at_database(self, store: Store) -> None:
        now = self._clock.now()
        metrics.POOL_IN_USE.set(store.connections.in_use)
        metrics.POOL_SIZE.set(store.connections.size)
        try:
            async with asyncio.timeout(_TIMEOUT), store.reading_reserved() as rows:
                backlog = await rows.backlog(now)
        except Exception as error:  # noqa: BLE001  # whatever it is, the rest can be shown
            throttled.error("metrics.failed", error=safe_error(error))
            for metric in _READ_FROM_ROWS:
                metric.unset()
            return
        self._enough_people = backlog.enough_people
        _show(backlog, now)

    def _look_at_disk(self) -> None:
        try:
            if self._database:
                disk = shutil.disk_usage(self._database.parent)
                metrics.DISK_FREE.set(disk.free)
                metrics.DISK_SIZE.set(disk.total)
                if self._backups:
                    metrics.LAST_BACKUP.set(_last_backup(self._database, self._backups))
        except OSError as error:
            throttled.error("metrics.failed", error=safe_error(error))


def _last_backup(database: Path, backups: Path) -> float:
    """Return when the newest backup was made, or when Litestream last followed the database; 0 if there is neither."""
    made = [made_at(each) for each in backups_in(backups)[:1]]
    followed = followed_at(database)
    return max([moment.timestamp() for moment in (*made, followed) if moment], default=0.0)


def _show(backlog: Backlog, now: datetime) -> None:
    metrics.INBOX_UNHANDLED.set(backlog.unhandled)
    metrics.INBOX_OLDEST.set(_age(backlog.unhandled_since, now))
    for state in metrics.OUTBOX_DUE.values:
        metrics.OUTBOX_DUE.set(backlog.due.get(state, 0), state)
    metrics.OUTBOX_OLDEST.set(_age(backlog.due_since, now))
    metrics.ASKS_WAITING.set(backlog.to_plan)
    if backlog.processes:
        for role in metrics.PROCESSES.values:
            metrics.PROCESSES.set(sum(role == each for each, _ in backlog.processes), role)
        metrics.OTHER_VERSIONS.set(sum(version != __version__ for _, version in backlog.processes))
    for metric, at in ((metrics.LAST_TIDYING, backlog.tidied_at), (metrics.LAST_REHEARSAL, backlog.rehearsed_at)):
        if at:
            metric.set(at.timestamp())


def _age(moment: datetime | None, now: datetime) -> float:
    return max((now - moment).total_seconds(), 0.0) if moment else 0.0


def _family(metric: Metric) -> Family:
    match metric:
        case Histogram():
            bounds = [*map(floatToGoString, metric.bounds), "+Inf"]
            sums = [sum(metric.counts[: place + 1]) for place in range(len(bounds))]
            return HistogramMetricFamily(
                metric.name, metric.help, buckets=list(zip(bounds, sums, strict=True)), sum_value=metric.sum
            )
        case Counter():
            family: Family = CounterMetricFamily(metric.name, metric.help, labels=_labels(metric))
            numbers: dict[str, float] = dict(metric.counted)
        case _:
            family = GaugeMetricFamily(metric.name, metric.help, labels=_labels(metric))
            numbers = metric.now if isinstance(metric, Gauge) else {}
    for value, number in numbers.items():
        family.add_metric([value] if metric.label else [], number)  # type: ignore[attr-defined]
    return family


def _labels(metric: Metric) -> list[str]:
    return [metric.label] if metric.label else []
