"""Several processes, killed and frozen at random, three at a time, and the pace that they keep together.

Both print what they counted. AJAR_PROVE_BLOWS says how many blows there are, and AJAR_PROVE_SEED which.
"""

import asyncio
import os
import random
import signal
from collections import Counter, deque
from pathlib import Path
from typing import Any

import pytest

from bot.demo.faults import Fault
from bot.places import FILE_NAME
from bot.presence import Role
from tests.databases import PostgresServer
from tests.histories import faults, recorded
from tests.journeys.test_several import TAKEN_OVER, all_settled, logs, several
from tests.several import seed_asked
from tests.several import several as several_here
from tests.standin import BotProcess, Person, Telegram, stand_in
from tests.tg.test_several import TOO_LONG, answered

BLOWS = int(os.environ.get("AJAR_PROVE_BLOWS", "300"))
SEED = int(os.environ.get("AJAR_PROVE_SEED", "1"))
COPIES = 3
"""How often an answer may come that may have arrived each time."""
PEOPLE, PROCESSES = 20, 3
ASKED = 600
ALLOWED = 30
"""Messages in any second above which Telegram says 429."""


@pytest.mark.timeout(4 * 3600)
async def test_blows(postgres: PostgresServer, tmp_path: Path, places_folder: Path) -> None:
    """Every text is answered, in its order, and none more often than what may have arrived may be repeated.

    The history of the rows says that each was handled once, by the process that had its lane.
    """
    chance = random.Random(SEED)
    async with (
        postgres.emptied() as url,
        recorded(url) as history,
        several(url, tmp_path, places_folder / FILE_NAME, *({} for _ in range(PROCESSES))) as found,
    ):
        telegram, bots = found
        crowd = [Person(telegram, telegram.world.person(first_name="P", language_code="en")) for _ in range(PEOPLE)]
        await seed_asked(telegram, url, crowd)
        said = Counter[int]()
        blows = Counter[str]()
        for _ in range(BLOWS):
            talking = asyncio.create_task(_talk(crowd, said, chance))
            blows[await _strike(bots, chance)] += 1
            await talking
        for bot in bots:
            await logs(bot, "ready bot=", after=bot.output.rfind("process.joined"))
        async with asyncio.timeout(5 * TAKEN_OVER):
            while any(len(set(answered(person))) < said[person.id] for person in crowd):  # noqa: ASYNC110
                await asyncio.sleep(0.5)
        await all_settled(postgres, url)
        copies = Counter(copy for person in crowd for copy in Counter(answered(person)).values())
        restarts = sum(bot.output.count("process.starts_over") for bot in bots)
        print(  # noqa: T201
            f"seed {SEED}: {dict(blows)}, {restarts} frozen ones started over; {said.total()} texts, "
            f"answers by how often they came: {dict(copies)}; "
            f"{sum(call['status'] == 409 for call in telegram.calls())} polls in the way of another"
        )
        assert max(copies) <= COPIES
        for person in crowd:
            wanted = [TOO_LONG + number for number in range(said[person.id])]
            assert list(dict.fromkeys(answered(person))) == wanted, "each chat reads in its order"
    events = Counter(event.what.value for event in history.events)
    owners = {event.owner for event in history.events if event.owner}
    print(f"history: {dict(events)} by {len(owners)} processes one after the other")  # noqa: T201
    assert events["handled"] == said.total()
    assert not (wrong := faults(history.events)), wrong


async def _talk(crowd: list[Person], said: Counter[int], chance: random.Random) -> None:
    for person in chance.sample(crowd, len(crowd) // 2):
        await asyncio.sleep(chance.uniform(0, 0.2))
        await person.says("x" * (TOO_LONG + said[person.id]))
        said[person.id] += 1


async def _strike(bots: list[BotProcess], chance: random.Random) -> str:
    """Kill one and start it again, or freeze one for a moment or for so long that others take over."""
    bot = chance.choice(bots)
    await asyncio.sleep(chance.uniform(0, 1))
    if chance.random() < 0.6:
        await bot.kill()
        await asyncio.sleep(chance.uniform(0, 2))
        await bot.begin()
        return "killed"
    os.kill(bot.pid, signal.SIGSTOP)
    await asyncio.sleep(chance.choice((0.5, 4, 8, 14)))
    os.kill(bot.pid, signal.SIGCONT)
    return "frozen"


@pytest.mark.timeout(900)
@pytest.mark.parametrize("workers", [1, 2, 4])
async def test_many_processes_keep_one_pace(postgres: PostgresServer, tmp_path: Path, workers: int) -> None:
    """However many send, Telegram never has to refuse a message, and the pace is made use of."""
    async with postgres.emptied() as url, stand_in() as telegram:
        limit = _Limit(telegram)
        async with several_here(telegram, url, tmp_path, *([Role.WORKER] * workers)) as bots:
            crowd = [Person(telegram, telegram.world.person(first_name="P", language_code="en")) for _ in range(ASKED)]
            await bots.settled(*crowd, due=True)
            began = asyncio.get_running_loop().time()
            async with asyncio.timeout(20 * ASKED / ALLOWED):
                while len(limit.sent) < ASKED:  # noqa: ASYNC110  # a message in another world sets no event here
                    await asyncio.sleep(0.2)
            took = asyncio.get_running_loop().time() - began
        print(  # noqa: T201
            f"{workers} workers: {ASKED} questions in {took:.1f} s, {limit.refused} refused, "
            f"at most {limit.most} in a second"
        )
        assert limit.refused == 0
        assert len(limit.sent) == ASKED
        assert took < 2 * ASKED / 28 + 5


class _Limit:
    """Lets the stand-in refuse what Telegram would."""

    def __init__(self, telegram: Telegram) -> None:
        self.sent: list[float] = []
        self.refused = self.most = 0
        self._last = deque[float]()
        self._take = telegram.world.faults.take
        telegram.world.faults.take = self.take  # type: ignore[method-assign]

    def take(self, method: str, chat_id: int | None, kinds: tuple[str, ...]) -> Any:
        if method.lower() != "sendmessage" or "429" not in kinds:
            return self._take(method, chat_id, kinds)
        now = asyncio.get_running_loop().time()
        while self._last and now - self._last[0] >= 1:
            self._last.popleft()
        if len(self._last) >= ALLOWED:
            self.refused += 1
            return Fault("sendmessage", "429", retry_after=1)
        self._last.append(now)
        self.sent.append(now)
        self.most = max(self.most, len(self._last))
        return None
