"""A long time for many people with everything on, in one process: memory stays flat, and tables are tidied.

The whole bot runs on a schedule's event loop, so that its time costs nothing. Everybody has a Partner, and does
anything that is on their screens. Each month prints how many rows every table has. AJAR_SOAK_PEOPLE says how many
people there are (300 by default), AJAR_SOAK_DAYS for how long (365), AJAR_PROVE_SEED which.
"""

import asyncio
import gc
import logging
import os
import random
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import time, timedelta
from pathlib import Path
from typing import Final

import psutil
import pytest
import structlog

import tests.silence.world as world_module
from bot.delivery.pacer import Pacer
from bot.domain.times import next_slot
from bot.storage.schema import metadata
from bot.storage.store import Rows, Store
from tests.prove.schedules import Schedule, schedule
from tests.silence.lives import Acts
from tests.silence.world import NAMES, START, Beginning, stop
from tests.whole.town import Phones, TheirClock, Town, drawn_at_once

PEOPLE: Final = int(os.environ.get("AJAR_SOAK_PEOPLE", "300"))
DAYS: Final = int(os.environ.get("AJAR_SOAK_DAYS", "365"))
SEED: Final = int(os.environ.get("AJAR_PROVE_SEED", "0")) or random.randrange(1, 1_000_000_000)
FIRST: Final = 920_000_000
MONTH: Final = 30
ACTS: Final = 2
"""How many acts somebody has in a day, on average."""
NEVER: Final = frozenset({"erase_all", "withdraw", "unpair", "pause_open"})
"""Buttons that end what is to go on for a year."""
KEPT: Final = frozenset(
    {"lines", "asks", "rests", "shown_prompts", "reflections", "openings", "responses", "expectations", "follow_ups"}
    | {"records"}
)
"""Tables that grow with what people write and are asked."""
KEPT_LONG: Final = frozenset({"ask_messages"})
"""Tables of which rows are kept for 60 days."""
LONG: Final = 5
"""After so many months those no longer grow either."""
ON_SCREEN: Final = 20
"""How many messages of a chat are looked at; older ones aren't tapped any more."""
ZONES: Final = ("Europe/Berlin", "Asia/Tokyo", "America/New_York", "Australia/Sydney")

Sizes = dict[str, int]


@pytest.mark.timeout(12 * 3600)
def test_soak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world_module, "NAMES", defaultdict(lambda: "Somebody", NAMES))
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    print(f"AJAR_PROVE_SEED={SEED} {PEOPLE} people, {DAYS} days")  # noqa: T201
    beginning = asyncio.run(Beginning.make(tmp_path))
    with drawn_at_once(), schedule(SEED) as runner:
        months = runner.run(_live(beginning, tmp_path / "life"))
    _is_bounded(months)


async def _live(beginning: Beginning, folder: Path) -> list[Sizes]:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, Schedule)
    clock, chance = TheirClock(loop), random.Random(SEED)
    beginning.lay_out(folder)
    phones = Phones(clock)
    built = await beginning.start(folder, clock, phones, Pacer())
    town = Town(built, clock, phones, beginning=beginning, folder=folder)
    people = [FIRST + number for number in range(PEOPLE)]
    await _move_in(built.store, people, chance)
    acts = {user_id: Acts(town, user_id, chance, NEVER, may_block=user_id % 10 == 0) for user_id in people}
    months = []
    for day in range(1, DAYS + 1):
        morning = START + timedelta(days=day - 1)
        for moment, user_id in sorted(_moments(people, chance)):
            await town.until(max(morning + moment, clock.now()))
            await acts[user_id].act()
        _forget(town, acts)
        if day % MONTH == 0 or day == DAYS:
            months.append(_sizes(folder / "ajar.db"))
            print(f"day {day}: {months[-1]}", flush=True)  # noqa: T201
    town.close()
    await stop(town.built)
    return months


async def _move_in(store: Store, people: list[int], chance: random.Random) -> None:
    async with store.writing() as rows:
        for user_id in people:
            await _settle(rows, user_id, chance)
        for one, other in zip(people[::2], people[1::2], strict=False):
            assert await rows.pairs.make(one, other, START)


async def _settle(rows: Rows, user_id: int, chance: random.Random) -> None:
    user = await rows.users.add(user_id, "en", START)
    await rows.users.set_name(user_id, f"P{user_id}")
    ask_at, zone = time(chance.randrange(7, 22)), chance.choice(ZONES)
    slot = next_slot(START, ask_at, zone)
    await rows.users.change(user, ask_at=ask_at, zone=zone, next_ask_at=slot.at, next_ask_day=slot.day)


def _moments(people: list[int], chance: random.Random) -> Iterator[tuple[timedelta, int]]:
    for user_id in people:
        for _ in range(chance.randrange(2 * ACTS + 1)):
            yield timedelta(minutes=chance.randrange(24 * 60)), user_id


def _forget(town: Town, acts: dict[int, Acts]) -> None:
    """Forget what the phones needn't know any longer, so that only the bot's memory can grow."""
    phones = town.phones
    for calls in phones.seen.values():
        calls.clear()
    for chat_id, shown in phones.chats.items():
        for message_id in sorted(shown)[:-ON_SCREEN]:
            del phones.chats[chat_id][message_id]
    for said in town.said.values():
        del said[:-ON_SCREEN]
    for act in acts.values():
        del act.done[1:]
    phones.shown.clear()
    phones.ever.clear()
    phones.documents.clear()


def _sizes(file: Path) -> Sizes:
    """Return the rows of every table, the size of the file in KiB, and the memory of this process in MiB."""
    gc.collect()
    with closing(sqlite3.connect(file)) as connection:
        sizes = {
            table.name: connection.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0]  # noqa: S608
            for table in metadata.sorted_tables
        }
        (pages,), (size,), (free,) = (
            connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size", "freelist_count")
        )
    used = {"KiB in the file": (pages - free) * size >> 10, "MiB of memory": psutil.Process().memory_info().rss >> 20}
    return {name: rows for name, rows in sizes.items() if rows} | used


def _is_bounded(months: list[Sizes]) -> None:
    """See that after the first half nothing grows but what people keep, and that only as it did before."""
    if len(months) < 2:
        return
    half, end = months[(len(months) - 1) // 2], months[-1]
    may_grow = KEPT | {"KiB in the file"} | (KEPT_LONG if len(months) < LONG else set())
    for name, size in end.items():
        before = half.get(name, 0)
        most = 2.4 * before + PEOPLE if name in may_grow else 1.3 * before + PEOPLE
        assert size <= most, f"{name} grows: {before} at half-time, {size} at the end"
    assert end["MiB of memory"] <= 1.1 * half["MiB of memory"] + 10, "memory grows"
