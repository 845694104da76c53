"""Results about the pause, and the pace at which the bot asks."""

from dataclasses import dataclass
from datetime import date, datetime, time
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
    """What was typed can mean each of these days."""

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


@dataclass(frozen=True, slots=True)
class NothingOpen(Result):
    """There is no question to put off."""

    kind: ClassVar = "NothingOpen"


@dataclass(frozen=True, slots=True)
class DailyAgain(Result):
    """The bot had slowed down on its own; now it asks daily again."""

    kind: ClassVar = "DailyAgain"

    next_at: datetime


@dataclass(frozen=True, slots=True)
class OfferHour(Result):
    """The bot offers to ask at the hour at which the user usually answers."""

    kind: ClassVar = "OfferHour"

    at: time


@dataclass(frozen=True, slots=True)
class HourMoved(Result):
    kind: ClassVar = "HourMoved"
    next_at: datetime


@dataclass(frozen=True, slots=True)
class OfferDeeper(Result):
    """The bot offers to go one notch deeper."""

    kind: ClassVar = "OfferDeeper"

    depth: int


@dataclass(frozen=True, slots=True)
class DeeperTaken(Result):
    kind: ClassVar = "DeeperTaken"


@dataclass(frozen=True, slots=True)
class OfferLeft(Result):
    """An offer was declined and isn't made again."""

    kind: ClassVar = "OfferLeft"
