"""Measures Ajar beside bare bots, loops, schedulers and drivers, in one run on this machine. `make bench` calls it.

Figures depend on the machine. So the promises are ratios and a few bounds, and the exit code says if they hold; the
goals are what we are working towards, and only shown.
"""

import argparse
import statistics
import sys
import tempfile
import traceback
from dataclasses import dataclass, replace
from pathlib import Path

import uvloop

from tests.bench import commits, daily, looking_back, processes, scan, sending, side_by_side
from tests.bench.contestants import Running, ajar, echo
from tests.bench.crowd import Crowd
from tests.bench.report import Report
from tests.bench.side_by_side import AIOGRAM, AJAR, AT_ONCE, BARE, CONCURRENT, DELAY, NETWORK, RATE
from tests.bench.sizes import TINY, Sizes
from tests.standin import stand_in

SLOW = f"{DELAY * 1000:.0f} ms"


@dataclass
class Bench:
    """The parts of a run; each can be measured by itself."""

    report: Report
    folder: Path
    sizes: Sizes

    async def answers(self) -> None:
        """Answers a second, how soon, and at what cost."""
        report = self.report
        with report.part("answers") as step:
            figures = await side_by_side.measure(self.folder / "answers", self.sizes, step)
        ours = figures[AJAR]
        titles = [
            f"{AT_ONCE} at once",
            f"{SLOW}: a s",
            "× it",
            "0 ms: a s",
            "× it",
            "half, ms",
            "99 %, ms",
            "cpu, ms",
            "MiB",
        ]
        rows = [
            [
                name, f"{each.slow:.0f}", f"{ours.slow / each.slow:.2f}", f"{each.fast:.0f}",
                f"{ours.fast / each.fast:.2f}", f"{each.within(50):.1f}", f"{each.within(99):.1f}", f"{each.cpu:.2f}",
                f"{each.memory:.0f}",
            ]
            for name, each in figures.items()
        ]  # fmt: skip
        report.table(titles, rows)
        report.say(
            f"  half and 99 % of the answers come within so long, at {RATE} texts a second; × it: Ajar's times theirs"
        )
        bare, aiogram, network, concurrent = (figures[name] for name in (BARE, AIOGRAM, NETWORK, CONCURRENT))
        report.promise("twice the updates of PTB by default, with the delay", holds=ours.slow >= 2 * bare.slow)
        report.promise("half as many as aiogram, with the delay", holds=ours.slow >= aiogram.slow / 2)
        report.promise("99 of 100 answers within 50 ms", holds=ours.within(99) < 50)
        report.promise("under 150 MiB", holds=ours.memory < 150)
        for what, found, wanted in (
            (
                f"at {SLOW} 2.5 times the answers of PTB's own transport, as many at once",
                ours.slow / concurrent.slow,
                2.5,
            ),
            (f"at {SLOW} as many as aiogram", ours.slow / aiogram.slow, 1.0),
            ("at 0 ms 0.6 times as many as a bare PTB echo on our transport", ours.fast / network.fast, 0.6),
        ):
            report.goal(what, f"{found:.2f}", reached=found >= wanted)
        late = ours.within(99)
        report.goal(f"99 of 100 answers within 25 ms, at {RATE} a second", f"{late:.1f} ms", reached=late < 25)

    async def starts(self) -> None:
        """The time from nothing to the first getUpdates, and to the first answer."""
        report = self.report
        fresh: list[tuple[float, float]] = []
        again: list[tuple[float, float]] = []
        bare: list[tuple[float, float]] = []
        with report.part("starts") as step:
            for number in range(self.sizes.starts):
                place = self.folder / f"start-{number}"
                async with stand_in() as telegram:
                    crowd = Crowd(telegram)
                    for found in (fresh, again):
                        async with ajar(telegram, place) as running:
                            found.append(await _began(running, crowd))
                async with stand_in() as telegram, echo(telegram, "bare") as running:
                    bare.append(await _began(running, Crowd(telegram)))
                step()
        for title, found in (("new database", fresh), ("the second time", again), ("PTB, by default", bare)):
            asked, answered = map(statistics.median, zip(*found, strict=True))
            report.say(f"  start to first getUpdates, {title:<16} {asked:.2f} s, to the first answer {answered:.2f} s")
        first = statistics.median(asked for asked, _ in fresh)
        report.promise("asks for updates within 1.5 s of its start", holds=first < 1.5)

    async def daily(self) -> None:
        """The daily questions of very many people."""
        report, (one, many, very_many) = self.report, self.sizes.people
        with report.part("daily") as step:
            found = await daily.measure(self.folder / "daily", self._people, self.sizes, step)
        for count in found.look:
            report.say(
                f"  {count:>9,} people: a look that finds nothing {found.look[count]:.2f} ms, "
                f"start to first getUpdates {found.start[count] / 1000:.2f} s, memory {found.memory[count]:.0f} MiB"
            )
        look, start, memory = found.look[very_many], found.start[very_many], found.memory[very_many]
        report.promise("a look that finds nothing takes under 1 ms, with a million too", holds=look < 1)
        report.promise(
            "with 100,000 people a look takes at most 5 % longer than with one",
            holds=found.look[many] < 1.05 * found.look[one],
        )
        report.promise("and the memory is at most 5 % more", holds=found.memory[many] < 1.05 * found.memory[one])
        report.promise("with a million people it starts as fast", holds=start < 1.1 * found.start[one])
        report.goal("a million people: a look within 1 ms", f"{look:.2f} ms", reached=look <= 1)
        report.goal("a million people: a start within 1.2 s", f"{start / 1000:.2f} s", reached=start <= 1200)
        report.goal("a million people: at most 120 MiB", f"{memory:.0f} MiB", reached=memory <= 120)
        report.say(
            f"  {self.sizes.due} due together: planned in {found.planned / 1000:.1f} s; "
            f"who is due and the claim: {found.query_and_claim:.0f} ms at the longest"
        )
        report.promise("the due query and the claim take under 0.5 s", holds=found.query_and_claim < 500)
        half, late = (found.meanwhile.percentile(percent) for percent in (50, 99))
        report.say(f"  answers to others meanwhile: half within {half:.1f} ms, 99 of 100 within {late:.1f} ms")
        report.promise("99 of 100 answers within 100 ms meanwhile", holds=late < 100)

    async def scan(self) -> None:
        """Finding who is due, beside APScheduler with a job each."""
        report = self.report
        with report.part("scan") as step:
            found = await scan.measure(self._people, self.sizes, step)
        rows = []
        for count, ours in found.ours.items():
            row = [f"{count:,} people", f"{ours.look:.2f}", f"{ours.due:.1f}"]
            if theirs := found.theirs.get(count):
                row += [f"{theirs.look:.2f}", f"{theirs.due:.1f}"]
                row += [f"{ours.look / theirs.look:.2f}", f"{ours.due / theirs.due:.2f}"]
            rows.append(row + ["-"] * (7 - len(row)))
        report.table(["ms", "look", f"{scan.DUE} due", "theirs", "theirs", "× it", "× it"], rows)
        for count, grown in found.grown.items():
            stopped = "" if grown.count == count else f"; stopped on the way to {count:,}"
            grew = f"{grown.count:>9,} jobs after {grown.seconds:.1f} s more, {grown.memory:.0f} MiB"
            report.say(f"  APScheduler: {grew}{stopped}")

    async def journal(self) -> None:
        """Pages and searches of a long journal beside a short one."""
        report, (few, many) = self.report, self.sizes.lines
        with report.part("journal") as step:
            found = await looking_back.measure(self.folder / "journal", self.sizes, step)
        for title, took in (
            ("a page", found.page),
            ("of that, the processor", found.processor),
            ("a page of half of the lines", found.found_page),
            ("a search, which opens every line", found.search),
            ("the longest time it kept others waiting", found.held_up),
        ):
            report.say(f"  {title:<42}{few:>6} lines: {took[few]:>6.1f} ms{many:>8} lines: {took[many]:>6.1f} ms")
        ratio = found.processor[many] / found.processor[few]
        report.say(f"  a page of {many} lines takes the processor {ratio:.2f} times as long as one of {few}")
        report.promise("a page of 10,000 lines takes under 50 ms", holds=found.page[many] < 50)
        report.promise("also with a filter", holds=found.found_page[many] < 50)
        report.promise("and the processor at most 1.2 times as long as one of ten", holds=ratio < 1.2)

    async def sending(self) -> None:
        """Questions sent as fast as possible, beside a bare loop."""
        report = self.report
        with report.part("sending") as step:
            found = await sending.measure(self.folder / "sending", self.sizes, step)
        ours = found[sending.AJAR]
        rows = [
            [name, f"{each.rate:.0f}", f"{ours.rate / each.rate:.2f}", f"{each.cpu:.2f}" if each.cpu else "-"]
            for name, each in found.items()
        ]
        report.table(["questions sent", "a second", "× it", "cpu, ms"], rows)
        report.goal("1,000 questions a second, each committed", f"{ours.rate:.0f}", reached=ours.rate >= 1000)

    async def pace(self) -> None:
        """The pace that Telegram allows, for a while."""
        report, seconds = self.report, self.sizes.pace_seconds
        with report.part("pace") as step:
            kept = await sending.keep_pace(self.folder / "pace", self.sizes, step)
        report.say(f"  {kept.rate:.2f} questions a second for {seconds} s; {kept.fullest} in the fullest second")
        report.goal("28.0 ± 0.2 a second, sustained", f"{kept.rate:.2f}", reached=abs(kept.rate - 28) <= 0.2)
        report.goal("no second with more than 29", f"{kept.fullest}", reached=kept.fullest <= 29)

    async def commits(self) -> None:
        """Transactions that are on the disk, beside the drivers by themselves."""
        report = self.report
        with report.part("commits") as step:
            found = await commits.measure(self.folder / "commits", self.sizes, step)
        rows = [
            [f"{name}, {count} at once", f"{rate:.0f}", f"{rate / found[commits.beside(name, count)]:.2f}"]
            for (name, count), rate in found.items()
        ]
        report.table(["transactions", "a second", "÷ driver"], rows)

    async def processes(self) -> None:
        """Several processes on PostgreSQL."""
        report = self.report
        with report.part("processes") as step:
            found = await processes.measure(self.folder / "processes", self.sizes, step)
        one = found[1]
        rows = [
            [
                f"{count}", f"{each.slow:.0f}", f"{each.slow / one.slow:.2f}", f"{each.fast:.0f}",
                f"{each.fast / one.fast:.2f}", f"{each.cpu:.2f}",
            ]
            for count, each in found.items()
        ]  # fmt: skip
        report.table(["processes on PostgreSQL", f"{SLOW}: a s", "÷ one", "0 ms: a s", "÷ one", "cpu, ms"], rows)

    @property
    def _people(self) -> Path:
        return self.folder / "people"


async def _began(running: Running, crowd: Crowd) -> tuple[float, float]:
    """Return the seconds from the start to the first getUpdates, and to the answer to a text sent at that moment."""
    heard = await crowd.at_once(1, 1)
    return running.began_after, running.began_after + heard.waits[0]


# In the order in which they run: `scan` leaves questions due in databases that `daily` needs without any.
PARTS = ("answers", "starts", "sending", "pace", "daily", "scan", "journal", "commits", "processes")


async def main(only: list[str], sizes: Sizes) -> int:
    report, failed = Report(), False
    if sizes.tiny:
        report.say("Tiny: figures, goals and promises say nothing.\n")
    with tempfile.TemporaryDirectory(prefix="ajar-bench-") as folder:
        bench = Bench(report, Path(folder), sizes)
        for name in (each for each in PARTS if each in only):
            try:
                await getattr(bench, name)()
            except Exception:  # noqa: BLE001  # the other parts are still worth measuring
                report.say(f"\n{traceback.format_exc()}")
                failed = True
            report.say()
    code = report.end()
    return 1 if failed else 0 if sizes.tiny else code


def _parts(names: str) -> list[str]:
    chosen = names.split(",")
    if unknown := set(chosen) - set(PARTS):
        raise argparse.ArgumentTypeError(
            f"no part is called {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}"
        )
    return chosen


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", type=_parts, default=list(PARTS), help=f"some of {','.join(PARTS)}")
    parser.add_argument("--rounds", type=int, help="how many rounds the medians are of")
    parser.add_argument("--tiny", action="store_true", help="everything once, to see that it works: no real figures")
    return parser.parse_args()


if __name__ == "__main__":
    arguments = _arguments()
    sizes = TINY if arguments.tiny else Sizes()
    if arguments.rounds:
        sizes = replace(sizes, rounds=arguments.rounds)
    sys.exit(uvloop.run(main(arguments.only, sizes)))
