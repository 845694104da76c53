"""Results about the Ask."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.domain.model import AskOpening
from bot.domain.results.base import Result
from bot.domain.results.start import Came


@dataclass(frozen=True, slots=True)
class Asked(Result):
    """A prompt, put to the user."""

    kind: ClassVar = "Asked"

    ask_id: int
    prompt_id: str | None
    """None if there is no prompt that the user can be asked: a day without a question can still have its line."""
    here: bool = False
    """Whether it replaces the tapped message, rather than being a new one."""
    opening: AskOpening | None = None
    """What to say before it."""
    next_at: datetime | None = None
    """When the next one comes, if this one replaced an Ask that was to come sooner."""
    examples: bool = False
    """Whether the prompt's two Examples are shown below it."""
    used_up: bool = False
    """Whether there is no prompt because all were asked recently, rather than because the user left them all out."""
    offers_callbacks: bool = False
    """Whether this also asks the user, once, if older Lines may be brought back."""
    invite: Came = Came.ALONE
    """At the start: whether the user came with an Invite."""


@dataclass(frozen=True, slots=True)
class CalledBack(Result):
    """A Callback, put to the user: an earlier Line of theirs, whose words are read when it is shown."""

    kind: ClassVar = "CalledBack"

    ask_id: int
    line_id: int
    here: bool = False
    """Whether it replaces the tapped message, rather than being a new one."""
    opening: AskOpening | None = None
    """What to say before it."""
    next_at: datetime | None = None
    """When the next Ask comes, if this one replaced one that was to come sooner."""


@dataclass(frozen=True, slots=True)
class NoOther(Result):
    """There is no other prompt left to swap to."""

    kind: ClassVar = "NoOther"

    lighter: bool


@dataclass(frozen=True, slots=True)
class LaterWanted(Result):
    """Asks when the Ask should come back."""

    kind: ClassVar = "LaterWanted"

    ask_id: int
    tonight: bool
    unclear: bool = False
    """Whether the typed text isn't a time, or is one at which the Ask can't come back."""


@dataclass(frozen=True, slots=True)
class Snoozed(Result):
    kind: ClassVar = "Snoozed"
    ask_id: int
    until: datetime


@dataclass(frozen=True, slots=True)
class StaysOpen(Result):
    """The Ask can't be put off: it would come back after the next one, or during a pause. It stays open."""

    kind: ClassVar = "StaysOpen"

    ask_id: int
    next_at: datetime | None
    """When the next Ask comes, if that is too soon; None in a pause."""


@dataclass(frozen=True, slots=True)
class Skipped(Result):
    kind: ClassVar = "Skipped"
    ask_id: int


@dataclass(frozen=True, slots=True)
class AskPassed(Result):
    """The Ask behind this button can no longer be answered or moved."""

    kind: ClassVar = "AskPassed"

    answered: bool = False


@dataclass(frozen=True, slots=True)
class TodayAnswered(Result):
    """Today's question already has its Line."""

    kind: ClassVar = "TodayAnswered"

    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class NothingOpen(Result):
    """There is no question to put off."""

    kind: ClassVar = "NothingOpen"
