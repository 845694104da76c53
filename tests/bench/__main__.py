"""Measures Ajar beside a bare python-telegram-bot, in one run, against the same stand-in. `make bench` calls it.

Figures depend on the machine; the promises are ratios and a few bounds, and the exit code says if they hold.
"""

import asyncio
import statistics
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path

from bot.clock import SystemClock
from tests.bench import daily
from tests.bench.contestants import Running, ajar, echo
from tests.bench.crowd import FIRST_PERSON, Crowd, Heard
from tests.bench.seeds import seed
from tests.standin import Telegram, stand_in

AT_ONCE = 64
DELAY = 0.05
RATE = 100
WARM_UP = 200
STARTS = 3

Start = Callable[[Telegram, Path], AbstractAsyncContextManager[Running]]
CONTESTANTS: dict[str, Start] = {
    "Ajar": ajar,
    "bare": lambda telegram, _folder: echo(telegram),
    "bare, 64 at once": lambda telegram, _folder: echo(telegram, AT_ONCE),
}


@dataclass
class Figures:
    """The figures of one contestant."""

    slow: Heard  # with the delay
    fast: Heard  # without
    steady: Heard  # at RATE
    cpu: float  # milliseconds an update
    rss: float  # MiB at the end


@dataclass
class Report:
    """Prints what was measured, and remembers which promises don't hold."""

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
        await _daily(report, Path(folder))
    if report.broken:
        report.say(f"\n{len(report.broken)} promises are broken.")
    return 1 if report.broken else 0


async def _measured(name: str, start: Start, folder: Path) -> Figures:
    """Measure one contestant: every text comes from a different person, who for Ajar was just asked."""
    texts_slow, texts_fast, texts_steady = AT_ONCE * 20, AT_ONCE * 40, RATE * 15
    if name == "bare":
        texts_slow = 200  # one after the other, each waits for the delay
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
    """Measure the time from nothing to the first getUpdates."""
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


async def _daily(report: Report, folder: Path) -> None:
    report.say()
    found = await daily.measure(folder / "daily")
    for count in found.look:
        report.say(
            f"{count:>9} people: a look that finds nothing {found.look[count]:.2f} ms, "
            f"start to first getUpdates {found.start[count] / 1000:.2f} s, memory {found.memory[count]:.0f} MiB"
        )
    one, many, very_many = found.look
    report.promise("a look that finds nothing takes under 1 ms, with a million too", holds=found.look[very_many] < 1)
    report.promise(
        "with 100,000 people a look takes at most 5 % longer than with one",
        holds=found.look[many] < 1.05 * found.look[one],
    )
    report.promise("and the memory is at most 5 % more", holds=found.memory[many] < 1.05 * found.memory[one])
    report.promise("with a million people it starts as fast", holds=found.start[very_many] < 1.1 * found.start[one])
    report.say(
        f"{daily.DUE} due together: planned in {found.planned / 1000:.1f} s; "
        f"who is due and the claim: {found.query_and_claim:.0f} ms at the longest"
    )
    report.promise("the due query and the claim take under 0.5 s", holds=found.query_and_claim < 500)
    report.say(
        f"answers to others meanwhile: half within {found.meanwhile.percentile(50):.1f} ms, "
        f"99 of 100 within {found.meanwhile.percentile(99):.1f} ms"
    )
    report.promise("99 of 100 answers within 100 ms meanwhile", holds=found.meanwhile.percentile(99) < 100)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
