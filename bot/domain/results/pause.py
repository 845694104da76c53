"""Results about the Pause."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class PauseWanted(Result):
    """Asks for how long to pause."""

    kind: ClassVar = "PauseWanted"

    paused: bool = False
    """Whether there already is a pause."""


@dataclass(frozen=True, slots=True)
class PauseDayWanted(Result):
    """Asks until which day to pause, with a month of the calendar and the first and last possible day."""

    kind: ClassVar = "PauseDayWanted"

    month: date
    today: date
    last: date
    unclear: bool = False


@dataclass(frozen=True, slots=True)
class PauseWhichDay(Result):
    """The typed text can mean any of these days."""

    kind: ClassVar = "PauseWhichDay"

    days: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class Paused(Result):
    kind: ClassVar = "Paused"
    next_at: datetime | None = None
    """When the next question comes; None in a pause without an end."""
    already: bool = False


@dataclass(frozen=True, slots=True)
class Resumed(Result):
    kind: ClassVar = "Resumed"
    next_at: datetime
    was_paused: bool = True
