"""The Ask."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.domain.model import Opening
from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class Asked(Result):
    """A prompt, put to the user."""

    kind: ClassVar = "Asked"

    ask_id: int
    prompt_id: str | None
    """None where there is none that the user may be asked: a day without a question, which still can have its line."""
    here: bool = False
    """In place of what was tapped, rather than as a new message."""
    opening: Opening | None = None
    """What is said before it."""
    next_at: datetime | None = None
    """When the next one comes instead, where this took the place of one that was to come sooner."""


@dataclass(frozen=True, slots=True)
class NoOther(Result):
    """Nothing else left to swap to."""

    kind: ClassVar = "NoOther"

    lighter: bool


@dataclass(frozen=True, slots=True)
class LaterWanted(Result):
    """When shall the Ask come back."""

    kind: ClassVar = "LaterWanted"

    ask_id: int
    tonight: bool
    unclear: bool = False
    """What was typed can't be read as a time, or it is none that it could come back at."""


@dataclass(frozen=True, slots=True)
class Snoozed(Result):
    kind: ClassVar = "Snoozed"
    ask_id: int
    until: datetime


@dataclass(frozen=True, slots=True)
class StaysOpen(Result):
    """It can't be put off: nothing would come back before the next Ask, or in a pause. It stays open where it is."""

    kind: ClassVar = "StaysOpen"

    ask_id: int
    next_at: datetime | None
    """The next Ask, where that comes too soon; None in a pause."""


@dataclass(frozen=True, slots=True)
class Skipped(Result):
    kind: ClassVar = "Skipped"
    ask_id: int


@dataclass(frozen=True, slots=True)
class AskPassed(Result):
    """The Ask behind this button can't be answered or moved any more."""

    kind: ClassVar = "AskPassed"

    answered: bool = False


@dataclass(frozen=True, slots=True)
class TodayAnswered(Result):
    """Today's question has its Line already."""

    kind: ClassVar = "TodayAnswered"

    next_at: datetime | None
