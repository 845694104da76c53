"""Measures Ajar beside bare echo bots, in one run, against the same stand-in. `make bench` calls it.

Figures depend on the machine; the promises are ratios and a few bounds, and the exit code says if they hold.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import daily, looking_back, side_by_side
from tests.bench.contestants import ajar, echo
from tests.bench.side_by_side import AT_ONCE, DELAY, RATE, Figures
from tests.standin import stand_in

ROUNDS = 5
STARTS = 3


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


async def main(rounds: int, *, only_speed: bool) -> int:
    report = Report()
    with tempfile.TemporaryDirectory(prefix="ajar-bench-") as folder:
        _tell(report, await side_by_side.measure(Path(folder) / "speed", rounds))
        if not only_speed:
            await _starts(report, Path(folder))
            await _daily(report, Path(folder))
            await _looking_back(report, Path(folder))
    if report.broken:
        report.say(f"\n{len(report.broken)} promises are broken.")
    return 1 if report.broken else 0


def _tell(report: Report, figures: dict[str, Figures]) -> None:
    report.say(f"{'':<42}" + "".join(f"{name:>18}" for name in figures))
    lines: list[tuple[str, Callable[[Figures], str]]] = [
        (f"updates a second, {AT_ONCE} at once, {DELAY * 1000:.0f} ms", lambda f: f"{f.slow:.0f}"),
        (f"updates a second, {AT_ONCE} at once, 0 ms", lambda f: f"{f.fast:.0f}"),
        (f"at {RATE} a second: half within (ms)", lambda f: f"{f.within(50):.1f}"),
        (f"at {RATE} a second: 99 of 100 within (ms)", lambda f: f"{f.within(99):.1f}"),
        ("processor an answer (ms)", lambda f: f"{f.cpu:.2f}"),
        ("memory (MiB)", lambda f: f"{f.memory:.0f}"),
    ]
    for title, figure in lines:
        report.say(f"{title:<42}" + "".join(f"{figure(found):>18}" for found in figures.values()))
    ours, bare, aiogram = figures["Ajar"], figures["PTB, by default"], figures["aiogram"]
    ratios: list[tuple[str, Callable[[Figures], float]]] = [
        (f"Ajar's updates a second, {DELAY * 1000:.0f} ms, times theirs", lambda f: ours.slow / f.slow),
        ("Ajar's updates a second, 0 ms, times theirs", lambda f: ours.fast / f.fast),
        ("Ajar's processor an answer, times theirs", lambda f: ours.cpu / f.cpu),
    ]
    report.say()
    for title, ratio in ratios:
        report.say(f"{title:<42}" + "".join(f"{ratio(found):>18.2f}" for found in figures.values()))
    report.promise("twice the updates of PTB by default, with the delay", holds=ours.slow >= 2 * bare.slow)
    report.promise("half as many as aiogram, with the delay", holds=ours.slow >= aiogram.slow / 2)
    report.promise("99 of 100 answers within 50 ms", holds=ours.within(99) < 50)
    report.promise("under 150 MiB", holds=ours.memory < 150)


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
        async with stand_in() as telegram, echo(telegram, "bare") as running:
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


async def _looking_back(report: Report, folder: Path) -> None:
    report.say()
    found = await looking_back.measure(folder / "journal")
    few, many = looking_back.FEW, looking_back.MANY
    for title, took in (
        ("a page", found.page),
        ("of that, the processor", found.processor),
        ("a page of half of the lines", found.found_page),
        ("a search, which opens every line", found.search),
        ("the longest time it kept others waiting", found.held_up),
    ):
        report.say(f"{title:<42}{few:>6} lines: {took[few]:>6.1f} ms{many:>8} lines: {took[many]:>6.1f} ms")
    ratio = found.processor[many] / found.processor[few]
    report.say(f"a page of {many} lines takes the processor {ratio:.2f} times as long as one of {few}")
    report.promise("a page of 10,000 lines takes under 50 ms", holds=found.page[many] < 50)
    report.promise("also with a filter", holds=found.found_page[many] < 50)
    report.promise("and the processor at most 1.2 times as long as one of ten", holds=ratio < 1.2)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how many rounds the medians are of")
    parser.add_argument("--only-speed", action="store_true", help="only compare the speed of answers")
    return parser.parse_args()


if __name__ == "__main__":
    arguments = _arguments()
    sys.exit(asyncio.run(main(arguments.rounds, only_speed=arguments.only_speed)))
