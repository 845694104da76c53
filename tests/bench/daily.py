"""The daily questions with very many people: the cost of a look, the cost of a start, and ten thousand due at once."""

import asyncio
import contextlib
import statistics
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.clock import HandClock, SystemClock
from bot.delivery.courier import Delivered
from bot.delivery.outbox import Outbox
from bot.delivery.pacer import Pacer
from bot.domain.notices import Notice
from bot.library import content_folder, load
from bot.services.asks import Asks
from bot.services.profile import Profile
from bot.storage.store import Store
from tests.bench.contestants import ajar
from tests.bench.crowd import FIRST_PERSON, Crowd, Heard
from tests.bench.seeds import ring, seed
from tests.databases import sqlite_url
from tests.standin import stand_in

ONE, MANY, VERY_MANY = 1, 100_000, 1_000_000
DUE = 10_000
LOOKS = 300
STARTS = 3
ANSWERS_A_SECOND, SECONDS = 20, 30


@dataclass
class Daily:
    """What was measured: times in milliseconds, memory in MiB, by the number of people."""

    look: dict[int, float]
    memory: dict[int, float]
    start: dict[int, float]
    planned: float
    """All that were due together, from the first look to the last Notice."""
    query_and_claim: float
    """The longest time for finding the due users and claiming their Notices together."""
    meanwhile: Heard
    """Answers to others while those questions go out."""


async def measure(folder: Path) -> Daily:
    now = SystemClock().now()
    places = {count: folder / f"users-{count}" for count in (ONE, MANY, VERY_MANY)}
    for count, place in places.items():
        await seed(place / "ajar.db", first=1, count=count, now=now)
    look = await _looks({count: place / "ajar.db" for count, place in places.items()}, now)
    memory, start = {}, {}
    for count, place in places.items():
        memory[count], start[count] = await _run(place)
    planned, query_and_claim = await _plans(folder / "due.db", now)
    return Daily(look, memory, start, planned, query_and_claim, await _answers(folder / "busy", now))


async def _looks(files: dict[int, Path], now: datetime) -> dict[int, float]:
    """Time looks that find nothing, alternating between the databases, so that a noisy moment hits all of them."""
    took: dict[int, list[float]] = {count: [] for count in files}
    async with contextlib.AsyncExitStack() as stack:
        outboxes = {count: await stack.enter_async_context(_outbox(file, now)) for count, file in files.items()}
        for _ in range(LOOKS):
            for count, outbox in outboxes.items():
                took[count].append(await _timed(outbox._is_due))
    return {count: statistics.median(each) for count, each in took.items()}


async def _run(place: Path) -> tuple[float, float]:
    """Measure the whole bot's memory, and the time to its first getUpdates."""
    rss: list[float] = []
    began: list[float] = []
    for _ in range(STARTS):
        async with stand_in() as telegram, ajar(telegram, place) as running:
            await asyncio.sleep(1)
            rss.append(running.rss)
            began.append(1000 * running.began_after)
    return statistics.median(rss), statistics.median(began)


async def _plans(file: Path, now: datetime) -> tuple[float, float]:
    await seed(file, first=1, count=MANY, now=now, due=DUE)
    both: list[float] = []
    async with _store(file) as store:
        asks = Asks(load(content_folder()))

        async def look() -> None:
            async with store.writing() as rows:
                await rows.users.due(now, 50)

        async def claim() -> None:
            async with store.writing() as rows:
                await rows.notices.claim(now, 32, 1)

        began = time.perf_counter()
        while (await asks.plan_due(store, now)).looked_at:
            both.append(await _timed(look) + await _timed(claim))
        planned = 1000 * (time.perf_counter() - began) - sum(both)
    return planned, max(both)


async def _answers(folder: Path, now: datetime) -> Heard:
    """Let others write while ten thousand questions go out, from the moment they are due."""
    others = ANSWERS_A_SECOND * SECONDS
    due_from = FIRST_PERSON + others
    await seed(folder / "ajar.db", first=FIRST_PERSON, count=others, now=now, asked=True)
    await seed(folder / "ajar.db", first=due_from, count=DUE, now=now, due=DUE)
    async with stand_in() as telegram:
        crowd = Crowd(telegram)
        crowd.know(range(due_from, due_from + DUE))
        async with ajar(telegram, folder):
            return await crowd.steadily(ANSWERS_A_SECOND, others)


class _Nobody:
    """A courier whose messages all arrive at once."""

    async def deliver(self, _notice: Notice) -> Delivered:
        return Delivered.SAID


@contextlib.asynccontextmanager
async def _store(file: Path) -> AsyncIterator[Store]:
    store = Store.at(sqlite_url(file), ring())
    yield store
    await store.close()


@contextlib.asynccontextmanager
async def _outbox(file: Path, now: datetime) -> AsyncIterator[Outbox]:
    async with _store(file) as store:
        asks = Asks(load(content_folder()))
        yield Outbox(store, HandClock(now), _Nobody(), Pacer(rate=1e9), asks, Profile(), owner=1)


async def _timed(work: Callable[[], object]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    await work()  # type: ignore[misc]
    return 1000 * (time.perf_counter() - began)
