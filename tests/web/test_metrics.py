"""What /metrics shows, asked of a real server, with real databases."""

import os
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from sqlalchemy import text

from bot import __version__, metrics
from bot.clock import HandClock
from bot.domain.notices import NoticeKind
from bot.domain.results import Cancelled
from bot.health import Health
from bot.metrics import ENOUGH_PEOPLE, METRICS, OF_PROCESS
from bot.services.housekeeping import Housekeeping
from bot.storage.inbox import Received
from bot.storage.store import Store
from bot.web import metrics as module
from bot.web.server import Observed, make_server


class Scraper:
    """Asks for the metrics, as Prometheus does."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/metrics"
        self.said = ""

    async def asks(self) -> dict[str, float]:
        """Return the shown values, by name and labels."""
        async with aiohttp.ClientSession() as session, session.get(self._url) as response:
            assert response.status == 200
            assert response.content_type == "text/plain"
            self.said = await response.text()
        samples = (line.rpartition(" ") for line in self.said.splitlines() if not line.startswith("#"))
        return {name: float(number) for name, _, number in samples}


@pytest.fixture
async def health() -> Health:
    return Health()


@pytest.fixture
async def scraper(
    health: Health, clock: HandClock, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Scraper]:
    monkeypatch.setattr(module, "CACHED", -1.0)
    monkeypatch.setattr("bot.web.readiness.CACHED", -1.0)
    observed = Observed.of(health, clock)
    observed.readiness.watch(store, None)
    observed.metrics.watch(store, lambda: metrics.HELD_CHATS.set(3), database=tmp_path / "ajar.db", backups=tmp_path)
    runner = make_server(observed, None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield Scraper(runner.addresses[0][1])
    await runner.cleanup()


async def people(store: Store, clock: HandClock, number: int) -> None:
    async with store.writing() as rows:
        for user_id in range(1, number + 1):
            await rows.users.add(user_id, "en", clock.now())


async def test_everything_shown_is_declared(scraper: Scraper, store: Store, clock: HandClock) -> None:
    await people(store, clock, ENOUGH_PEOPLE)
    await scraper.asks()
    declared = {re.sub("_total$", "", name) for name in ({metric.name for metric in METRICS} | set(OF_PROCESS))}
    shown = set(re.findall(r"^# TYPE (\S+?)(?:_total)? ", scraper.said, re.MULTILINE))
    assert {name for name in shown if not name.endswith("_created")} == declared


async def test_small_bots_hide_activity(scraper: Scraper, store: Store, clock: HandClock) -> None:
    """With two users, each could read here what the other one does."""
    await people(store, clock, ENOUGH_PEOPLE - 1)
    few = await scraper.asks()
    assert "ajar_incidents_total" in few
    assert not [metric.name for metric in METRICS if metric.activity and metric.name in scraper.said]
    async with store.writing() as rows:
        await rows.users.add(99, "en", clock.now())
    assert "ajar_updates_taken_total" in await scraper.asks()


async def test_waiting_rows_are_counted_with_age(scraper: Scraper, store: Store, clock: HandClock) -> None:
    began = clock.now()
    async with store.writing() as rows:
        await rows.users.add(1, "en", began)
        await rows.inbox.add([Received(7, 1, {"update_id": 7}), Received(8, 2, {"update_id": 8})], 5, began)
        soon, later = began + timedelta(minutes=1), began + timedelta(hours=1)
        await rows.notices.add([(1, NoticeKind.ASK, 5, soon), (1, NoticeKind.RECAP, 6, later)], began)
    clock.advance(timedelta(minutes=3))
    found = await scraper.asks()
    assert (found["ajar_inbox_unhandled"], found["ajar_inbox_oldest_seconds"]) == (2, 180)
    assert (found['ajar_outbox_due{state="waiting"}'], found["ajar_outbox_oldest_seconds"]) == (1, 120)
    async with store.writing() as rows:
        await rows.notices.claim(clock.now(), 10, 5)
        await rows.inbox.handle(7, 5, clock.now())
    found = await scraper.asks()
    assert (found["ajar_inbox_unhandled"], found['ajar_outbox_due{state="waiting"}']) == (1, 0)
    assert found["ajar_outbox_oldest_seconds"] == 0
    clock.advance(timedelta(minutes=5))
    found = await scraper.asks()
    assert (found['ajar_outbox_due{state="claimed"}'], found['ajar_problem{about="outbox"}']) == (1, 0), (
        "a lease ran out"
    )
    clock.advance(timedelta(minutes=5))
    assert (await scraper.asks())['ajar_problem{about="outbox"}'] == 1


async def test_blocked_answer_is_not_late(scraper: Scraper, store: Store, clock: HandClock) -> None:
    now = clock.now()
    async with store.writing() as rows:
        await rows.notices.add_answer(1, 7, Cancelled(something=True), now, 5, behind=None)
        await rows.notices.add_answer(1, 8, Cancelled(something=True), now, 5, behind=now)
    found = await scraper.asks()
    assert (found['ajar_outbox_due{state="waiting"}'], found["ajar_outbox_oldest_seconds"]) == (0, 0)


async def test_problems_and_last_events_are_shown(
    scraper: Scraper, store: Store, clock: HandClock, health: Health, tmp_path: Path
) -> None:
    health.resolve("start")
    health.report("telegram", "Telegram does not answer")
    assert (await scraper.asks())["ajar_last_backup_timestamp_seconds"] == 0, "so that an alert asks for the first one"
    (tmp_path / "ajar-20270301-030000.age").touch()
    found = await scraper.asks()
    assert (found['ajar_problem{about="telegram"}'], found['ajar_problem{about="start"}']) == (1, 0)
    assert found['ajar_problem{about="outbox"}'] == 0
    assert found["ajar_last_backup_timestamp_seconds"] == 1803870000
    assert found["ajar_held_chats"] == 3
    followed = tmp_path / ".ajar.db-litestream" / "generation"
    followed.parent.mkdir()
    followed.touch()
    os.utime(followed, (1803870600, 1803870600))
    assert (await scraper.asks())["ajar_last_backup_timestamp_seconds"] == 1803870600
    await Housekeeping(store, clock).tidy()
    assert (await scraper.asks())["ajar_last_tidying_timestamp_seconds"] == int(clock.now().timestamp())


async def test_old_processes_are_counted_apart(scraper: Scraper, store: Store) -> None:
    async with store.writing() as rows:
        if rows._connection.dialect.name != "postgresql":
            pytest.skip("only PostgreSQL has several")
        await rows.processes.join(1, "web", __version__)
        await rows.processes.join(2, "worker", "0.0.1")
    found = await scraper.asks()
    assert (found['ajar_processes{role="web"}'], found['ajar_processes{role="all"}']) == (1, 0)
    assert found["ajar_processes_of_another_version"] == 1


async def test_unreadable_database_hides_its_own_metrics(scraper: Scraper, store: Store) -> None:
    assert "ajar_inbox_unhandled" in await scraper.asks()
    async with store.writing() as rows:
        await rows._connection.execute(text("ALTER TABLE inbox RENAME TO elsewhere"))
    found = await scraper.asks()
    async with store.writing() as rows:
        await rows._connection.execute(text("ALTER TABLE elsewhere RENAME TO inbox"))
    assert "ajar_inbox_unhandled" not in found
    assert "ajar_incidents_total" in found


async def test_transactions_and_commits_are_counted(store: Store) -> None:
    before, commits = metrics.TRANSACTIONS.counted["write"], sum(metrics.COMMIT_SECONDS.counts)
    async with store.writing() as rows:
        await rows.take_note("counted", "yes")
    assert metrics.TRANSACTIONS.counted["write"] == before + 1
    assert sum(metrics.COMMIT_SECONDS.counts) == commits + 1
    assert store.connections.size > store.connections.in_use == 0
