"""One, two and four processes of Ajar behind a webhook, on a database for each number; all run at once, in rounds."""

import statistics
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bot.clock import SystemClock
from tests.bench.contestants import Running, several
from tests.bench.crowd import FIRST_PERSON, Crowd
from tests.bench.postgres import durable_postgres
from tests.bench.report import Step
from tests.bench.seeds import seed
from tests.bench.side_by_side import AT_ONCE, DELAY
from tests.bench.sizes import Sizes
from tests.databases import PostgresServer
from tests.standin import Telegram, stand_in

COUNTS = (1, 2, 4)


@dataclass
class House:
    """The processes that share a database, and the rounds they have played."""

    telegram: Telegram
    crowd: Crowd
    running: list[Running]
    fast_rates: list[float] = field(default_factory=list)
    slow_rates: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)

    @property
    def fast(self) -> float:
        """Answers a second without a delay."""
        return statistics.median(self.fast_rates)

    @property
    def slow(self) -> float:
        """Answers a second with the delay."""
        return statistics.median(self.slow_rates)

    @property
    def cpu(self) -> float:
        """Milliseconds of processor time an answer takes all of them together."""
        return statistics.median(self.cpus)

    async def play(self, sizes: Sizes) -> None:
        before = sum(each.cpu for each in self.running)
        self.fast_rates.append((await self.crowd.at_once(AT_ONCE, sizes.fast)).rate)
        self.cpus.append(1000 * (sum(each.cpu for each in self.running) - before) / sizes.fast)
        await self.telegram.fault("*", "slow", times=-1, seconds=DELAY)
        self.slow_rates.append((await self.crowd.at_once(AT_ONCE, sizes.slow)).rate)
        await self.telegram.no_faults()


async def measure(folder: Path, sizes: Sizes, step: Step) -> dict[int, House]:
    """Return the houses by the number of their processes."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(durable_postgres())
        houses = {}
        for count in COUNTS:
            houses[count] = await _house(stack, folder / str(count), server, count, sizes)
            step()
        for _ in range(sizes.rounds):
            for house in houses.values():
                await house.play(sizes)
                step()
        return houses


async def _house(stack: AsyncExitStack, folder: Path, server: PostgresServer, count: int, sizes: Sizes) -> House:
    url = await stack.enter_async_context(server.new())
    people = sizes.warm_up + sizes.rounds * (sizes.fast + sizes.slow)
    await seed(url, first=FIRST_PERSON, count=people, now=SystemClock().now(), asked=True)
    telegram = await stack.enter_async_context(stand_in())
    running = await stack.enter_async_context(several(telegram, folder, url, count))
    crowd = Crowd(telegram)
    await crowd.at_once(AT_ONCE, sizes.warm_up)
    return House(telegram, crowd, running)
