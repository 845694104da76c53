"""Polling, lanes, answers and the outbox under schedules that are drawn: each text is kept and answered, in order.

Telegram fetches slowly, breaks off, repeats what wasn't confirmed, and loses messages on the way or their receipts.
Part of `make prove`. AJAR_PROVE_SCHEDULES says how many schedules (10,000 by default), and AJAR_PROVE_SEED with which
one they begin; the seed in a failure's text, with AJAR_PROVE_SCHEDULES=1, is that schedule again.
"""

import asyncio
import logging
import os
import random
import re
import shutil
from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, cast
from unittest import mock

import aiohttp
import pytest
import structlog
from structlog.testing import capture_logs
from telegram.error import NetworkError

import bot.app
from bot.config import Config
from bot.delivery.pacer import Pacer
from bot.storage.store import Store
from bot.tg.inbox import Gate
from bot.tg.network import MayHaveArrived, Network
from bot.tg.polling import Polling
from tests.crash.stage import KEYS, LIBRARY, START, Place, begins
from tests.databases import sqlite_url
from tests.prove.recorded import texts_in
from tests.prove.schedules import run
from tests.silence.world import TOKEN, A, B, Recorder, World

SCHEDULES = int(os.environ.get("AJAR_PROVE_SCHEDULES", "10000"))
SEED = int(os.environ.get("AJAR_PROVE_SEED", "0")) or random.randrange(1, 1_000_000_000)
TEXTS: Final = 4
"""How many texts each of the two sends that are kept, and how many that are too long."""
COPIES: Final = 3
"""How often an answer may arrive at most."""
TOO_LONG: Final = 301
_NAMED: Final = re.compile(r"That's (\d+) characters")
_UNTIL_QUIET: Final = 240.0
_LOOK: Final = 4.0
"""Seconds of the schedule's own time."""
_TROUBLE: Final = 0.07
"""How often something goes wrong on the way."""


class LoopClock:
    """The time of the schedule."""

    def now(self) -> datetime:
        return START + timedelta(seconds=asyncio.get_running_loop().time())


class Telegram(Recorder):
    """Hands out updates until they are confirmed, and takes messages, both over a bad connection."""

    def __init__(self, clock: LoopClock, chance: random.Random) -> None:
        super().__init__(cast("Any", clock))
        self._chance = chance
        self.queue: list[dict[str, Any]] = []
        self.last = 0
        self.session = None
        self.begun = False

    async def fetch(self, *_: Any, offset: int | None = None, limit: int, **__: Any) -> list[Any]:
        await asyncio.sleep(self._chance.uniform(0, 0.1))
        if self._goes_wrong:
            raise aiohttp.ClientConnectionError
        self.queue = [one for one in self.queue if offset is None or one["update_id"] >= offset]
        if not self.queue:
            await asyncio.sleep(self._chance.uniform(0.1, 1))
        if self._goes_wrong:
            raise TimeoutError
        return self.queue[: min(limit, self._chance.randint(1, 5))]

    async def do_request(self, *given: Any, **more: Any) -> tuple[int, bytes]:
        await asyncio.sleep(self._chance.uniform(0, 0.1))
        if self._goes_wrong:
            raise NetworkError("it was not sent")
        answer = await super().do_request(*given, **more)
        await asyncio.sleep(self._chance.uniform(0, 0.1))
        if self._goes_wrong:
            raise MayHaveArrived("the connection broke")
        return answer

    @property
    def _goes_wrong(self) -> bool:
        return self.begun and self._chance.random() < _TROUBLE

    def arrives(self, update: dict[str, Any]) -> None:
        self.last += 1
        self.queue.append({"update_id": self.last, **update})


@pytest.mark.timeout(60)
def test_seed_is_the_same_schedule_again(tmp_path: Path) -> None:
    place = Place(tmp_path / "beginning")
    place.folder.mkdir()
    asyncio.run(_begin(place))
    lives = [run(partial(_live, place.copy(tmp_path / name), SEED), SEED) for name in "ab"]
    assert lives[0] == lives[1]


@pytest.mark.timeout(7200)
def test_no_schedule_loses_doubles_or_reorders(tmp_path: Path) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    place = Place(tmp_path / "beginning")
    place.folder.mkdir()
    asyncio.run(_begin(place))
    counts: Counter[str] = Counter()
    for seed in range(SEED, SEED + SCHEDULES):
        folder = tmp_path / "one"
        now = place.copy(folder)
        try:
            counts.update(run(partial(_live, now, seed), seed))
        except Exception as error:
            raise AssertionError(f"AJAR_PROVE_SEED={seed} AJAR_PROVE_SCHEDULES=1: {error!r}") from error
        shutil.rmtree(folder)
    print(f"AJAR_PROVE_SEED={SEED} {SCHEDULES} schedules, {dict(counts)}")  # noqa: T201
    assert counts["texts kept"] == 2 * TEXTS * SCHEDULES


async def _begin(place: Place) -> None:
    await begins(place, ritual=False)(lambda *_: None)


async def _live(place: Place, seed: int) -> dict[str, int]:
    chance = random.Random(seed)
    clock = LoopClock()
    telegram = Telegram(clock, chance)
    config = Config.model_validate({"bot_token": TOKEN, "data_dir": place.folder})
    store = Store.at(sqlite_url(place.file), KEYS)
    network = cast("Network", telegram)
    built = bot.app.build(config, store, network, clock=clock, pacer=Pacer(), content=LIBRARY)
    world = World(built, cast("Any", clock), telegram)
    await built.client.initialize()
    await built.inbox.adopt()
    telegram.begun = True
    with mock.patch("bot.tg.polling.call", telegram.fetch), capture_logs() as logged:
        gate = Gate()
        gate.open(built.inbox)
        polling = Polling(network, "", gate)
        going_on = [polling.run(), built.outbox.run(), built.inbox.watch(), _rings(built)]
        tasks = [asyncio.create_task(work) for work in going_on]
        await asyncio.gather(*(_writes(world, telegram, user_id, chance) for user_id in (A, B)))
        await asyncio.sleep(_UNTIL_QUIET)
        ended = [task.exception() for task in tasks if task.done()]
        assert not ended, ended
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    try:
        return await _look(built, telegram, [entry for entry in logged if entry["event"] == "incident"])
    finally:
        await built.places.close()
        await store.close()


async def _rings(built: bot.app.Bot) -> None:
    while True:
        await asyncio.sleep(_LOOK)
        built.outbox.ring()


async def _writes(world: World, telegram: Telegram, user_id: int, chance: random.Random) -> None:
    """Send texts, some of them too long, and tap the buttons, without waiting for anything."""
    telegram.next_id(user_id)  # each has a Line from the message before
    for number in range(2 * TEXTS):
        await asyncio.sleep(chance.choice((0, 0, chance.uniform(0, 0.3))))
        text = f"Text {number}." if number % 2 else "x" * (TOO_LONG + number)
        message = world._message(user_id, telegram.next_id(user_id), text)
        telegram.arrives({"message": message})
        if (buttons := telegram.buttons(user_id)) and chance.random() < 0.3:
            message_id, data = chance.choice(buttons)
            if data.startswith(("v1:keep:", "v1:line:", "v1:share:")):
                telegram.arrives({"callback_query": _tap(world, telegram, user_id, message_id, data)})


def _tap(world: World, telegram: Telegram, user_id: int, message_id: int, data: str) -> dict[str, Any]:
    shown = telegram.chats[user_id][message_id]
    message = {key: value for key, value in shown.items() if key != "markup"}
    who = world._message(user_id, message_id, "")["from"]
    return {"id": f"{user_id}-{telegram.last}", "from": who, "chat_instance": "1", "data": data, "message": message}


async def _look(built: bot.app.Bot, telegram: Telegram, incidents: list[Any]) -> dict[str, int]:
    assert not incidents, incidents
    assert not telegram.queue, f"{len(telegram.queue)} updates were never confirmed"
    assert built.inbox.held == 0, "an update was never handled"
    found = Counter(await texts_in(built.store))
    kept = {f"Text {number}." for number in range(1, 2 * TEXTS, 2)}
    assert all(found[text] == 2 for text in kept), f"each of the two keeps each text once: {found}"
    copies = calls = 0
    for user_id in (A, B):
        said = [int(length[1]) for call in telegram.seen[user_id] if (length := _NAMED.search(call.params))]
        assert list(dict.fromkeys(said)) == [TOO_LONG + number for number in range(0, 2 * TEXTS, 2)], f"order: {said}"
        assert max(Counter(said).values()) <= COPIES, said
        copies += len(said) - TEXTS
        calls += len(telegram.seen[user_id])
    return {"texts kept": 2 * len(kept), "answers in order": 2 * TEXTS, "second copies": copies, "calls": calls}
