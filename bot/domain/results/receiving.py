"""Results about receiving, from the receiver's side."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class Announced(Result):
    """The partner left a line. We say nothing about what is in it."""

    kind: ClassVar = "Announced"

    reflection_id: int
    here: bool = False
    ritual: bool = False
    """Whether it was put in for the Ritual; the announcement then says so."""


@dataclass(frozen=True, slots=True)
class AnnouncedTogether(Result):
    """The partner left these lines, each of which can be opened. We say nothing about what is in them."""

    kind: ClassVar = "AnnouncedTogether"

    announcement_id: int
    reflections: tuple[int, ...]
    others: int = 0
    """How many more there are."""
    here: bool = False


@dataclass(frozen=True, slots=True)
class AllLaterWanted(Result):
    """Asks when the lines of one message should be announced again."""

    kind: ClassVar = "AllLaterWanted"

    announcement_id: int
    tonight: bool
    unclear: bool = False


@dataclass(frozen=True, slots=True)
class AllLater(Result):
    kind: ClassVar = "AllLater"
    announcement_id: int
    until: datetime


@dataclass(frozen=True, slots=True)
class AllNotNow(Result):
    """The lines of one message are kept until the receiver wants them."""

    kind: ClassVar = "AllNotNow"

    announcement_id: int


@dataclass(frozen=True, slots=True)
class OpenLaterWanted(Result):
    """Asks when the Reflection should be announced again."""

    kind: ClassVar = "OpenLaterWanted"

    reflection_id: int
    tonight: bool
    unclear: bool = False
    """Whether the typed text isn't a time, or is one at which it can't be announced."""


@dataclass(frozen=True, slots=True)
class OpenLater(Result):
    kind: ClassVar = "OpenLater"
    reflection_id: int
    until: datetime


@dataclass(frozen=True, slots=True)
class NotNow(Result):
    """The Reflection is kept until the receiver wants it."""

    kind: ClassVar = "NotNow"

    reflection_id: int


@dataclass(frozen=True, slots=True)
class WaitingShown(Result):
    """The Reflections that can be opened, each with the time it was announced, the longest waiting first."""

    kind: ClassVar = "WaitingShown"

    reflections: tuple[tuple[int, datetime], ...]
    more: bool = False


@dataclass(frozen=True, slots=True)
class Opened(Result):
    """The Cue, and then the words."""

    kind: ClassVar = "Opened"

    reflection_id: int
    wish: str
    cue_id: str
    beside: bool = False
    """Whether the tapped message stays, since it can open more."""


@dataclass(frozen=True, slots=True)
class AlreadyOpened(Result):
    """The receiver opened it with another button."""

    kind: ClassVar = "AlreadyOpened"


@dataclass(frozen=True, slots=True)
class TakenBack(Result):
    """The sharer took it back before it was opened."""

    kind: ClassVar = "TakenBack"

    beside: bool = False
    """As in Opened."""
