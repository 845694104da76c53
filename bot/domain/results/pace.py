"""Results about how often, when and how deep the bot asks on its own."""

from dataclasses import dataclass
from datetime import datetime, time
from typing import ClassVar

from bot.domain.results.base import Result


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
