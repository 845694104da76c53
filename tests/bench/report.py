"""What `make bench` prints: a line for each part while it is measured, its figures, promises and goals."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

Step = Callable[[], None]
"""Is called whenever a part has come a step further."""


@dataclass
class Report:
    """Remembers which promises are broken, which makes the run fail, and which goals are reached, which doesn't."""

    broken: list[str] = field(default_factory=list)
    goals: list[tuple[str, str, bool]] = field(default_factory=list)

    def say(self, text: str = "", end: str = "\n") -> None:
        print(text, end=end, flush=True)  # noqa: T201

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[Step]:
        """Show the progress of this part on one line, with a dot for each step."""
        began = time.perf_counter()
        self.say(f"{name} ", end="")
        yield lambda: self.say(".", end="")
        self.say(f" {time.perf_counter() - began:.0f} s")

    def table(self, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print rows, of which the first column is a name and the others are figures."""
        first = max(len(row[0]) for row in [titles, *rows])
        for name, *figures in (titles, *rows):
            shown = "".join(
                f"{figure:>{max(len(title), 7) + 2}}" for figure, title in zip(figures, titles[1:], strict=True)
            )
            self.say(f"  {name:<{first}}{shown}")

    def promise(self, what: str, *, holds: bool) -> None:
        self.say(f"  {'holds ' if holds else 'BROKEN'}  {what}")
        if not holds:
            self.broken.append(what)

    def goal(self, what: str, found: str, *, reached: bool) -> None:
        """Note a goal and its figure; all are shown at the end."""
        self.goals.append((what, found, reached))

    def end(self) -> int:
        """Show the goals, and return the exit code."""
        if self.goals:
            self.say(f"\nGoals: {sum(reached for *_, reached in self.goals)} of {len(self.goals)} reached")
        for what, found, reached in self.goals:
            self.say(f"  {'reached    ' if reached else 'not reached'}  {what}: {found}")
        if self.broken:
            self.say(f"\n{len(self.broken)} promises are broken.")
        return 1 if self.broken else 0
