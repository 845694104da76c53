"""A journal of ten thousand lines beside one of ten: a page, and what a search takes and holds up."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from bot.clock import SystemClock
from bot.domain.feelings import Feeling
from bot.domain.journal import By, Filter
from bot.domain.model import Line
from bot.domain.results import Result
from bot.domain.results.journal import JournalPage, JournalSought
from bot.i18n import say_in
from bot.library import Library, content_folder, load
from bot.services.journal import Journal, JournalSearch
from bot.services.visit import Visit
from bot.storage.ids import timeless_id
from bot.storage.store import Rows, Store
from bot.tg.screens import View, show
from tests.bench.report import Step
from tests.bench.seeds import ring, seed
from tests.bench.sizes import Sizes
from tests.databases import sqlite_url

SEARCHES = 5
NAMED_EVERY = 3
WORDS = "I said it was fine, and on the way home I turned the radio off at the bridge. Number"


@dataclass
class LookingBack:
    """What was measured, in milliseconds, by the number of lines."""

    page: dict[int, float] = field(default_factory=dict)
    """From the tap to the finished screen, pages from all over the journal."""
    processor: dict[int, float] = field(default_factory=dict)
    """The processor's part of that, which other work on the machine disturbs less."""
    found_page: dict[int, float] = field(default_factory=dict)
    """A page with a filter that half of the lines match."""
    search: dict[int, float] = field(default_factory=dict)
    held_up: dict[int, float] = field(default_factory=dict)
    """The longest time for which a search kept other work from the event loop."""


async def measure(folder: Path, sizes: Sizes, step: Step) -> LookingBack:
    """Alternate between the two journals, so that a noisy moment hits both."""
    now, library = SystemClock().now(), load(content_folder())
    url = sqlite_url(folder / "ajar.db")
    for count in sizes.lines:
        await seed(url, first=count, count=1, now=now)
    store = Store.at(url, ring())
    try:
        kept = {count: await _keep(store, count, list(library.prompts), now) for count in sizes.lines}
        step()
        return await _measure(store, library, kept, now, sizes.pages)
    finally:
        await store.close()


async def _keep(store: Store, count: int, prompts: list[str], now: datetime) -> list[int]:
    """Keep lines, one a day, of somebody whose id is their number; return their ids, the oldest first."""
    ids: list[int] = []
    for start in range(0, count, 500):
        async with store.writing(count) as rows:
            numbers = range(start, min(start + 500, count))
            ids += [await _keep_one(rows, count, each, prompts[each % len(prompts)], now) for each in numbers]
    return ids


async def _keep_one(rows: Rows, owner: int, number: int, prompt_id: str, now: datetime) -> int:
    at = now - timedelta(days=owner - number)
    line = Line(timeless_id(), owner, at.date(), None, number + 1)
    await rows.lines.keep(line, f"{WORDS} {'odd' if number % 2 else 'even'}.", prompt_id=prompt_id, now=at)
    if number % NAMED_EVERY == 0:
        await rows.lines.set_feelings(line, [Feeling(shelf="heavy"), Feeling(own="wet wool")])
    return line.id


async def _measure(
    store: Store, library: Library, kept: dict[int, list[int]], now: datetime, pages: int
) -> LookingBack:
    journal, found = Journal(library), LookingBack()
    search = JournalSearch(store, journal)

    async def page(owner: int, turn: int) -> None:
        """Turn to a page and make its screen, as a tap does."""
        line_id = kept[owner][-1 - turn * 5 % (owner - 5)]
        async with store.writing(owner) as rows:
            user = await rows.users.find(owner)
            assert user
            visit = Visit(rows, user, now)
            result = await journal.older(visit, line_id)
            words = await journal.read_page(visit, result) if isinstance(result, JournalPage) else {}
        assert show(View(say_in("en"), now, library, user, words=words), result)

    async def look_for(owner: int, _turn: int) -> Result:
        async with store.writing(owner) as rows:
            user = await rows.users.find(owner)
            assert user
            sought = await journal._limit(Visit(rows, user, now), Filter(By.SEARCH))
        assert isinstance(sought, JournalSought)
        return await search.find(user, sought, "odd", now)

    found.page, found.processor = await _medians(page, kept, pages)
    found.held_up = {owner: await _held_up(partial(look_for, owner, 0)) for owner in kept}
    found.search, _ = await _medians(look_for, kept, SEARCHES)
    found.found_page, _ = await _medians(page, kept, pages)
    return found


async def _medians(
    act: Callable[[int, int], Awaitable[object]], owners: Iterable[int], times: int
) -> tuple[dict[int, float], dict[int, float]]:
    """Return how long it took, and how much of that the processor did."""
    took: dict[int, list[float]] = {owner: [] for owner in owners}
    worked: dict[int, list[float]] = {owner: [] for owner in owners}
    for turn in range(times):
        for owner, each in took.items():
            began, idle = time.perf_counter(), time.process_time()
            await act(owner, turn)
            each.append(1000 * (time.perf_counter() - began))
            worked[owner].append(1000 * (time.process_time() - idle))
    return (
        {owner: statistics.median(each) for owner, each in took.items()},
        {owner: statistics.median(each) for owner, each in worked.items()},
    )


async def _held_up(act: Callable[[], Awaitable[object]]) -> float:
    """Return the longest time in which nothing else ran on the event loop while this went on."""
    longest, last, going_on = 0.0, time.perf_counter(), True

    async def watch() -> None:
        nonlocal longest, last
        while going_on:
            await asyncio.sleep(0)
            longest, last = max(longest, time.perf_counter() - last), time.perf_counter()

    watching = asyncio.ensure_future(watch())
    await act()
    going_on = False
    await watching
    return 1000 * longest
