"""What /health/ready finds, with real databases."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request
from sqlalchemy import text

from bot.clock import HandClock
from bot.domain.notices import NoticeKind
from bot.health import Health
from bot.storage.store import Store
from bot.web import readiness as module
from bot.web.readiness import Readiness

REQUEST = make_mocked_request("GET", "/health/ready")


@pytest.fixture
def health() -> Health:
    health = Health()
    health.resolve("start")
    return health


@pytest.fixture
def readiness(
    health: Health, clock: HandClock, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Readiness:
    monkeypatch.setattr(module, "CACHED", -1.0)
    readiness = Readiness(health, clock)
    readiness.watch(store, tmp_path)
    return readiness


async def asked(readiness: Readiness) -> tuple[int, dict[str, Any]]:
    answer = await readiness.ready(REQUEST)
    return answer.status, json.loads(answer.text or "")


async def test_healthy_bot_is_ready(readiness: Readiness) -> None:
    assert await asked(readiness) == (200, {"status": "ok"})


async def test_starting_bot_is_not_ready(clock: HandClock) -> None:
    starting = Readiness(Health(), clock)
    status, answer = await asked(starting)
    assert (status, answer["problems"]) == (503, {"start": "the bot is still starting"})
    assert (await starting.live(REQUEST)).status == 200


@asynccontextmanager
async def without_notes(store: Store) -> AsyncIterator[None]:
    """Meanwhile nothing can be noted, as in a database that is read-only."""
    async with store.writing() as rows:
        await rows._connection.execute(text("ALTER TABLE notes RENAME TO elsewhere"))
    yield
    async with store.writing() as rows:
        await rows._connection.execute(text("ALTER TABLE elsewhere RENAME TO notes"))


async def has_started(readiness: Readiness) -> int:
    return (await readiness.started(REQUEST)).status


async def test_backlog_does_not_keep_a_new_process_from_starting(
    readiness: Readiness, health: Health, store: Store, clock: HandClock
) -> None:
    """An upgrade waits for it, and it would be killed for what it is there to send."""
    async with store.writing() as rows:
        await rows.notices.add([(1, NoticeKind.ASK, 5, clock.now() - timedelta(hours=1))], clock.now())
    health.report("telegram", "Telegram answers 502: Bad Gateway")
    assert set((await asked(readiness))[1]["problems"]) == {"outbox", "telegram"}
    assert await has_started(readiness) == 200


async def test_process_that_cannot_work_has_not_started(readiness: Readiness, store: Store, clock: HandClock) -> None:
    assert await has_started(Readiness(Health(), clock)) == 503
    assert await has_started(readiness) == 200
    async with without_notes(store):
        assert await has_started(readiness) == 503


async def test_reported_problem_is_shown_until_solved(readiness: Readiness, health: Health) -> None:
    assert health.report("telegram", "Telegram answers 502: Bad Gateway")
    assert not health.report("telegram", "Telegram answers 502: Bad Gateway"), "it isn't new"
    status, answer = await asked(readiness)
    assert (status, answer["problems"]) == (503, {"telegram": "Telegram answers 502: Bad Gateway"})
    assert health.resolve("telegram")
    assert (await asked(readiness))[0] == 200


async def test_silent_telegram_is_a_problem(
    readiness: Readiness, health: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = 1000.0
    monkeypatch.setattr("bot.health.monotonic", lambda: seconds)
    assert (await asked(readiness))[0] == 200, "another process may fetch"
    health.heard()
    seconds += 299
    assert (await asked(readiness))[0] == 200
    seconds += 2
    assert (await asked(readiness))[1]["problems"] == {"telegram": "nothing was heard from Telegram for 5 minutes"}
    health.report("telegram", "Telegram answers 502: Bad Gateway")
    assert (await asked(readiness))[1]["problems"] == {"telegram": "Telegram answers 502: Bad Gateway"}


async def test_unwritable_database_is_not_ready(readiness: Readiness, store: Store) -> None:
    async with without_notes(store):
        status, answer = await asked(readiness)
    assert status == 503
    assert answer["problems"]["database"].startswith("the database can't be read and written")


async def test_overdue_message_is_reported(readiness: Readiness, store: Store, clock: HandClock) -> None:
    async with store.writing() as rows:
        await rows.users.add(1, "en", clock.now())
        await rows.notices.add([(1, NoticeKind.RESPONSE, 5, clock.now())], clock.now())
    assert (await asked(readiness))[0] == 200
    clock.set(clock.now() + timedelta(minutes=9))
    assert (await asked(readiness))[1]["problems"] == {"outbox": "something that is due has been waiting for 9 minutes"}


async def test_nearly_full_disk_is_reported(readiness: Readiness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEAST_ROOM", 1 << 60)
    assert "are free on the disk" in (await asked(readiness))[1]["problems"]["disk"]
