"""The drill: the primary fails again and again while people answer questions, and nobody notices more than a delay.

Its machine or PostgreSQL alone is killed, it hangs until it is reset, or a standby takes its place. `make drill` does
that twenty times under three processes, one of them through PgBouncer. AJAR_DRILL_KILLS and AJAR_DRILL_PROCESSES change
that, AJAR_DRILL_HOW=frozen,switched takes only some kinds, and AJAR_DRILL_SEED repeats the choices of a run (not its
timing, which depends on the machine).
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest

from bot.config import load
from bot.crypto import KeyRing
from bot.storage.store import Store
from tests.crash.life import DAY, Life, Register, check, live_a_day, next_morning, settle
from tests.drill.cluster import NODES, Cluster, How, cluster
from tests.standin import TEST_KEY, BotProcess, Person, Telegram, stand_in, start_bot

KILLS = int(os.environ.get("AJAR_DRILL_KILLS", "20"))
PROCESSES = int(os.environ.get("AJAR_DRILL_PROCESSES", "3"))
SEED = int(os.environ.get("AJAR_DRILL_SEED", "0")) or random.randrange(1, 1_000_000)
KINDS: list[How] = [how for how in get_args(How) if how in os.environ.get("AJAR_DRILL_HOW", how).split(",")]
NAMES = ("Ada", "Ben", "Cleo", "Dan", "Eve", "Fay")
LONGEST = 30.0
"""Seconds after which there must be answers again."""


@pytest.fixture(scope="module")
def machines() -> Iterator[Cluster]:
    with cluster() as found:
        yield found


@dataclass
class Prober:
    """Somebody who asks for help all the time, to see how long there are no answers."""

    person: Person
    answered: list[tuple[float, float]] = field(default_factory=list)
    """When each was sent and answered, in seconds of the loop."""

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            sent, before = loop.time(), self._heard()
            await self.person.says("/help")
            await self.person.telegram.until(lambda before=before: self._heard() > before, seconds=120)  # type: ignore[misc]
            self.answered.append((sent, loop.time()))
            await asyncio.sleep(1.0)

    def _heard(self) -> int:
        return sum(message.by_bot for message in self.person.sees)

    async def silence(self, began: float, ended: float) -> float:
        """Wait for the answer to something sent after `ended`; return the longest wait for an answer since `began`."""
        async with asyncio.timeout(150):
            while not any(sent > ended for sent, _ in self.answered):  # noqa: ASYNC110  # the other task appends
                await asyncio.sleep(0.1)
        return max(answered - max(sent, began) for sent, answered in self.answered if answered > began)


async def _strike_primaries(machines: Cluster, prober: Prober, chance: random.Random) -> list[tuple[How, float]]:
    """Let the primary fail KILLS times, in all ways in turn; return how, and how long there were no answers."""
    silences: list[tuple[How, float]] = []
    kinds, loop = chance.sample(KINDS, len(KINDS)), asyncio.get_running_loop()
    for number in range(1, KILLS + 1):
        await machines.whole()
        await asyncio.sleep(chance.uniform(0, 4))
        victim, how = await machines.primary(), kinds[number % len(kinds)]
        began = loop.time()
        await machines.strike(victim, how)
        silence = await prober.silence(began, loop.time())
        silences.append((how, silence))
        print(f"{number}. {victim} failed ({how}); answers again after {silence:.1f} s", flush=True)  # noqa: T201
        await machines.mend(victim, how)
    await machines.whole()
    return silences


@pytest.mark.timeout(300 + 120 * KILLS)
async def test_primary_dies_again_and_again(machines: Cluster, tmp_path: Path) -> None:
    print(f"\nAJAR_DRILL_KILLS={KILLS} AJAR_DRILL_PROCESSES={PROCESSES} AJAR_DRILL_SEED={SEED}")  # noqa: T201
    chance = random.Random(SEED)
    await machines.make_database()
    url = load({"AJAR_DATABASE_URL": machines.address}, None, need_token=False).database_url
    async with stand_in() as telegram, AsyncExitStack() as stack:
        register = telegram.world.calls = Register(telegram.world.calls)
        telegram.advance(next_morning(telegram) - timedelta(minutes=30) - telegram.now)
        people = [Life(await telegram.person(name), random.Random(chance.random())) for name in NAMES]
        prober = Prober(await telegram.person("Zoe"))
        first_day = await settle(telegram, url, [*people, Life(prober.person, chance)])
        bots = await _start(telegram, machines, tmp_path, stack)
        probing = asyncio.create_task(prober.run())
        killing = asyncio.create_task(_strike_primaries(machines, prober, chance))
        days = 0
        try:
            while not killing.done() or days == 0:
                await live_a_day(telegram, people)
                days += 1
            silences = await killing
        finally:
            probing.cancel()
            killing.cancel()
            await asyncio.wait({probing, killing})
        telegram.advance(minutes=1)
        await telegram.confirmed(seconds=60)
        for bot in bots:
            assert await bot.stop() == 0
            assert "incident" not in bot.output, bot.output[-3000:]
    copies = Counter(register.asks.values())
    kept = sum(len(life.kept) for life in people)
    print(  # noqa: T201
        f"{len(silences)} failures, {PROCESSES} processes, {days} days of {len(people)} people; {kept} lines kept; "
        f"Asks by copies: {dict(copies)}; silent for {max(silence for _, silence in silences):.1f} s at most"
    )
    store = Store.at(url, KeyRing.parse(TEST_KEY))
    try:
        for life in people:
            found = await machines.rows("SELECT id FROM lines WHERE user_id = $1 ORDER BY id", life.person.id)
            await check(store, [row["id"] for row in found], life, [first_day + n * DAY for n in range(days)])
    finally:
        await store.close()
    print("0 acknowledged lines lost, 0 doubled")  # noqa: T201
    assert set(copies) <= {1, 2}, "no Ask comes a third time"
    assert max(silence for _, silence in silences) <= LONGEST


async def _start(telegram: Telegram, machines: Cluster, folder: Path, stack: AsyncExitStack) -> list[BotProcess]:
    endings = folder / "endings"
    bots = [
        start_bot(telegram, folder / f"bot{number}", AJAR_DATABASE_URL=address, AJAR_ENDINGS_DIR=str(endings))
        for number, address in enumerate([machines.pooled, *[machines.address] * (PROCESSES - 1)], start=1)
    ]
    for bot in bots:
        await stack.enter_async_context(bot)
    return bots


@pytest.mark.timeout(300)
async def test_one_machine_alone_acknowledges_nothing(machines: Cluster, tmp_path: Path) -> None:
    """Without a standby a line isn't said to be kept, for as long as that takes; then it is, once."""
    await machines.whole()
    await machines.make_database()
    url = load({"AJAR_DATABASE_URL": machines.address}, None, need_token=False).database_url
    primary = await machines.primary()
    standbys = [node for node in NODES if node != primary]
    async with stand_in() as telegram, AsyncExitStack() as stack:
        telegram.advance(next_morning(telegram) - timedelta(minutes=30) - telegram.now)
        ada = Life(await telegram.person("Ada"), random.Random(SEED))
        await settle(telegram, url, [ada])
        (bot,) = (await _start(telegram, machines, tmp_path, stack))[:1]
        await live_a_day(telegram, [ada])
        for node in standbys:
            await machines.kill(node)
        before = len(ada.person.sees)
        await ada.person.says("Only one machine has this.")
        await telegram.until(lambda: len(ada.person.sees) > before + 1, seconds=45)
        assert len(ada.person.sees) == before + 1, "something was acknowledged that only one machine has"
        for node in standbys:
            await machines.start(node)
        await machines.whole()
        await telegram.until(lambda: len(ada.person.sees) > before + 1, seconds=60)
        assert len(ada.person.sees) == before + 2, f"{telegram.pending} updates wait; {bot.output[-3000:]}"
        assert await bot.stop() == 0


@pytest.mark.timeout(400)
async def test_nothing_is_acknowledged_without_a_primary(machines: Cluster, tmp_path: Path) -> None:
    """Without a majority of etcd the primary steps down; a line that is sent meanwhile is kept afterwards, once."""
    await machines.whole()
    await machines.make_database()
    url = load({"AJAR_DATABASE_URL": machines.address}, None, need_token=False).database_url
    async with stand_in() as telegram, AsyncExitStack() as stack:
        telegram.advance(next_morning(telegram) - timedelta(minutes=30) - telegram.now)
        ada = Life(await telegram.person("Ada"), random.Random(SEED))
        await settle(telegram, url, [ada])
        bots = await _start(telegram, machines, tmp_path, stack)
        await live_a_day(telegram, [ada])
        for voter in ("etcd1", "etcd2"):
            await machines.kill(voter)
        await machines.without_primary()
        before = len(ada.person.sees)
        await ada.person.says("Nobody knows who is primary.")
        await telegram.until(lambda: len(ada.person.sees) > before + 1, seconds=30)
        assert len(ada.person.sees) == before + 1, "something was acknowledged without a primary"
        for voter in ("etcd1", "etcd2"):
            await machines.start(voter)
        await machines.whole()
        await telegram.until(lambda: len(ada.person.sees) > before + 1, seconds=60)
        assert len(ada.person.sees) == before + 2, f"{telegram.pending} updates wait; {bots[0].output[-3000:]}"
        for bot in bots:
            assert await bot.stop() == 0
