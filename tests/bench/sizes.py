"""How much of everything is measured."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """Counts, and seconds where a name says so; a whole run with these takes about ten minutes."""

    rounds: int = 3
    """How many rounds the medians are of."""
    warm_up: int = 200
    fast: int = 512
    """Texts of a round without a delay."""
    slow: int = 1024
    """Texts of a round with the delay. They come in waves of 64; with few waves, one more or less changes the rate."""
    one_by_one: int = 64
    """The same for a bot that answers them one by one: each waits for all before it."""
    steady_seconds: int = 3
    starts: int = 3
    people: tuple[int, int, int] = (1, 100_000, 1_000_000)
    due: int = 10_000
    """Questions that are due together."""
    meanwhile_seconds: int = 30
    looks: int = 300
    lines: tuple[int, int] = (10, 10_000)
    pages: int = 200
    asks: int = 10_000
    """Questions that each contestant sends, in all rounds together."""
    pace_seconds: int = 60
    scanned: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)
    jobs_seconds: float = 40.0
    """How long APScheduler may take to add jobs until there are as many as people."""
    commit_seconds: float = 1.0
    tiny: bool = False
    """True to see only whether everything works."""


TINY = Sizes(
    rounds=1,
    warm_up=64,
    fast=64,
    slow=64,
    one_by_one=4,
    steady_seconds=1,
    starts=1,
    people=(1, 11_000, 21_000),
    due=100,
    meanwhile_seconds=2,
    looks=10,
    lines=(10, 100),
    pages=10,
    asks=100,
    pace_seconds=5,
    scanned=(1_000, 11_000),
    jobs_seconds=1.0,
    commit_seconds=0.1,
    tiny=True,
)
"""Everything once, to see that it works; the numbers say nothing."""
