"""Measures Ajar beside a bare python-telegram-bot, in one run, against the same stand-in. `make bench` calls it.

Figures depend on the machine; what is promised are ratios and a few bounds, and the exit code says whether they hold.
"""

import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path

from bot.clock import HandClock, SystemClock
from bot.delivery.outbox import Outbox
from bot.delivery.pacer import Pacer
from bot.domain.model import Notice
from bot.library import content_folder, load
from bot.services.profile import Profile
from bot.services.prompts import Prompts
from bot.storage.store import Store
from tests.bench.contestants import Running, ajar, echo
from tests.bench.crowd import FIRST_PERSON, Crowd, Heard
from tests.bench.seeds import ring, seed
from tests.databases import sqlite_url
from tests.standin import Telegram, stand_in

AT_ONCE = 64
DELAY = 0.05
RATE = 100
WARM_UP = 200
MANY = 100_000
DUE = 500
STARTS = 3

Start = Callable[[Telegram, Path], AbstractAsyncContextManager[Running]]
CONTESTANTS: dict[str, Start] = {
    "Ajar": ajar,
    "bare": lambda telegram, _folder: echo(telegram),
    "bare, 64 at once": lambda telegram, _folder: echo(telegram, AT_ONCE),
}


@dataclass
class Figures:
    """What one contestant came to."""

    slow: Heard  # with the delay
    fast: Heard  # without
    steady: Heard  # at RATE
    cpu: float  # milliseconds an update
    rss: float  # MiB at the end


@dataclass
class Report:
    """Says what was measured, and remembers what doesn't hold."""

    broken: list[str] = field(default_factory=list)

    def say(self, text: str = "") -> None:
        print(text, flush=True)  # noqa: T201

    def promise(self, what: str, *, holds: bool) -> None:
        self.say(f"  {'holds ' if holds else 'BROKEN'}  {what}")
        if not holds:
            self.broken.append(what)


async def main() -> int:
    report = Report()
    with tempfile.TemporaryDirectory(prefix="ajar-bench-") as folder:
        figures = {name: await _measured(name, start, Path(folder) / name) for name, start in CONTESTANTS.items()}
        _tell(report, figures)
        await _starts(report, Path(folder))
        await _ticks(report, Path(folder))
    if report.broken:
        report.say(f"\n{len(report.broken)} promises are broken.")
    return 1 if report.broken else 0


async def _measured(name: str, start: Start, folder: Path) -> Figures:
    """One contestant: every text comes from somebody else, who for Ajar was just asked."""
    texts_slow, texts_fast, texts_steady = AT_ONCE * 20, AT_ONCE * 40, RATE * 15
    if name == "bare":
        texts_slow = 200  # one after the other, each of them waits for the delay
    texts = WARM_UP + texts_slow + texts_fast + texts_steady
    await seed(folder / "ajar.db", first=FIRST_PERSON, count=texts, now=SystemClock().now(), asked=True)
    async with stand_in() as telegram, start(telegram, folder) as running:
        crowd = Crowd(telegram)
        await crowd.at_once(AT_ONCE, WARM_UP)
        steady = await crowd.steadily(RATE, texts_steady)
        before = running.cpu
        fast = await crowd.at_once(AT_ONCE, texts_fast)
        cpu = 1000 * (running.cpu - before) / texts_fast
        await telegram.fault("*", "slow", times=-1, seconds=DELAY)
        slow = await crowd.at_once(AT_ONCE, texts_slow)
        await telegram.no_faults()
        return Figures(slow, fast, steady, cpu, running.rss)


def _tell(report: Report, figures: dict[str, Figures]) -> None:
    report.say(f"{'':<42}" + "".join(f"{name:>18}" for name in figures))
    lines: list[tuple[str, Callable[[Figures], str]]] = [
        (f"updates a second, {AT_ONCE} at once, {DELAY * 1000:.0f} ms", lambda f: f"{f.slow.rate:.0f}"),
        (f"updates a second, {AT_ONCE} at once, 0 ms", lambda f: f"{f.fast.rate:.0f}"),
        (f"at {RATE} a second: half within (ms)", lambda f: f"{f.steady.percentile(50):.1f}"),
        (f"at {RATE} a second: 99 of 100 within (ms)", lambda f: f"{f.steady.percentile(99):.1f}"),
        ("processor an update (ms)", lambda f: f"{f.cpu:.2f}"),
        ("memory (MiB)", lambda f: f"{f.rss:.0f}"),
    ]
    for title, figure in lines:
        report.say(f"{title:<42}" + "".join(f"{figure(found):>18}" for found in figures.values()))
    ours, bare, parallel = figures.values()
    report.say(f"\nAjar beside the bare one, with {DELAY * 1000:.0f} ms: {ours.slow.rate / bare.slow.rate:.1f} times;")
    report.say(f"beside the one with {AT_ONCE} at once: {ours.slow.rate / parallel.slow.rate:.2f} times,")
    report.say(
        f"and without any delay: {ours.fast.rate / bare.fast.rate:.2f} and {ours.fast.rate / parallel.fast.rate:.2f}"
    )
    report.promise("twice the bare one's updates", holds=ours.slow.rate >= 2 * bare.slow.rate)
    report.promise("99 of 100 answers within 50 ms", holds=ours.steady.percentile(99) < 50)
    report.promise("under 150 MiB", holds=ours.rss < 150)


async def _starts(report: Report, folder: Path) -> None:
    """From nothing to the first getUpdates."""
    report.say()
    fresh: list[float] = []
    again: list[float] = []
    for number in range(STARTS):
        place = folder / f"start-{number}"
        async with stand_in() as telegram:
            async with ajar(telegram, place) as running:
                fresh.append(running.began_after)
            async with ajar(telegram, place) as running:
                again.append(running.began_after)
    bare: list[float] = []
    for _ in range(STARTS):
        async with stand_in() as telegram, echo(telegram) as running:
            bare.append(running.began_after)
    for title, found in (("new database", fresh), ("the second time", again), ("bare", bare)):
        report.say(f"start to first getUpdates, {title:<16} {statistics.median(found):.2f} s")
    report.promise("asks for updates within 1.5 s of its start", holds=statistics.median(fresh) < 1.5)


class _Nobody:
    """A courier for whom everything arrives at once."""

    async def deliver(self, _notice: Notice) -> bool:
        return True


@contextlib.asynccontextmanager
async def _outbox(file: Path, clock: HandClock) -> AsyncIterator[Outbox]:
    store = Store.at(sqlite_url(file), ring())
    yield Outbox(store, clock, _Nobody(), Pacer(rate=1e9), Prompts(load(content_folder())), Profile())
    await store.close()


async def _ticks(report: Report, folder: Path) -> None:
    """A look at what is due, and the whole bot's memory, with one user and with very many."""
    now = SystemClock().now()
    idle: dict[int, float] = {}
    for count in (1, MANY):
        place = folder / f"users-{count}"
        await seed(place / "ajar.db", first=1, count=count, now=now)
        async with _outbox(place / "ajar.db", HandClock(now)) as outbox:
            await _tick(outbox)
            idle[count] = min([await _tick(outbox) for _ in range(20)])
        async with stand_in() as telegram, ajar(telegram, place) as running:
            await asyncio.sleep(2)
            report.say(
                f"{count:>7} users: a look that finds nothing {idle[count]:5.1f} ms, memory {running.rss:.0f} MiB"
            )
            report.promise("under 150 MiB", holds=running.rss < 150)
    place = folder / "due"
    await seed(place / "ajar.db", first=1, count=MANY, now=now, due=DUE)
    async with _outbox(place / "ajar.db", HandClock(now)) as outbox:
        took = await _tick(outbox)
    report.say(f"{MANY:>7} users, {DUE} due: planned, claimed and settled in {took:.0f} ms, {took / DUE:.2f} ms each")
    report.promise("a look costs no more with very many users", holds=idle[MANY] < 3 * idle[1] + 5)


async def _tick(outbox: Outbox) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    async with asyncio.TaskGroup() as senders:
        await outbox.work(senders)
    return 1000 * (time.perf_counter() - began)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
