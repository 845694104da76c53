"""Receiving, from the side of the one who is told something."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class Announced(Result):
    """The partner left a line. Nothing of what is in it."""

    kind: ClassVar = "Announced"

    reflection_id: int
    here: bool = False


@dataclass(frozen=True, slots=True)
class AnnouncedTogether(Result):
    """The partner left these lines, each of which can be opened. Nothing of what is in them."""

    kind: ClassVar = "AnnouncedTogether"

    announcement_id: int
    reflections: tuple[int, ...]
    others: int = 0
    """So many more than these there are."""
    here: bool = False


@dataclass(frozen=True, slots=True)
class AllLaterWanted(Result):
    """When shall those of one message be announced again."""

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
    """Those of one message are kept until the receiver wants them."""

    kind: ClassVar = "AllNotNow"

    announcement_id: int


@dataclass(frozen=True, slots=True)
class OpenLaterWanted(Result):
    """When shall it be announced again."""

    kind: ClassVar = "OpenLaterWanted"

    reflection_id: int
    tonight: bool
    unclear: bool = False
    """What was typed can't be read as a time, or it is none that it could be announced at."""


@dataclass(frozen=True, slots=True)
class OpenLater(Result):
    kind: ClassVar = "OpenLater"
    reflection_id: int
    until: datetime


@dataclass(frozen=True, slots=True)
class NotNow(Result):
    """It is kept until the receiver wants it."""

    kind: ClassVar = "NotNow"

    reflection_id: int


@dataclass(frozen=True, slots=True)
class WaitingShown(Result):
    """What can be opened, each with when it was announced, the longest waiting first."""

    kind: ClassVar = "WaitingShown"

    reflections: tuple[tuple[int, datetime], ...]
    more: bool = False


@dataclass(frozen=True, slots=True)
class Opened(Result):
    """How to receive it, and then the words."""

    kind: ClassVar = "Opened"

    reflection_id: int
    wish: str
    cue_id: str
    beside: bool = False
    """The message that was tapped stays: there is more that it can open."""


@dataclass(frozen=True, slots=True)
class AlreadyOpened(Result):
    """It was opened by another button."""

    kind: ClassVar = "AlreadyOpened"


@dataclass(frozen=True, slots=True)
class TakenBack(Result):
    """The sharer took it back before it was opened."""

    kind: ClassVar = "TakenBack"

    beside: bool = False
    """As of what was opened."""


@dataclass(frozen=True, slots=True)
class AlreadyAnswered(Result):
    """There is one Response to a line, and it was sent."""

    kind: ClassVar = "AlreadyAnswered"


@dataclass(frozen=True, slots=True)
class Answered(Result):
    """The Response is on its way."""

    kind: ClassVar = "Answered"

    answer: str


@dataclass(frozen=True, slots=True)
class ReplyWanted(Result):
    """The receiver types one line back."""

    kind: ClassVar = "ReplyWanted"

    reflection_id: int


@dataclass(frozen=True, slots=True)
class ReplyTooLong(Result):
    kind: ClassVar = "ReplyTooLong"
    reflection_id: int
    draft_id: int | None = None
    """The text, where it can still be kept as a Line."""


@dataclass(frozen=True, slots=True)
class ReplyPreview(Result):
    """The line back waits for a yes."""

    kind: ClassVar = "ReplyPreview"

    response_id: int
    reflection_id: int
    draft_id: int | None = None
    """The text that it was typed as, where that can still be kept as a Line."""


@dataclass(frozen=True, slots=True)
class ReactionStays(Result):
    """A reaction was put to a line that has its Response: it goes nowhere."""

    kind: ClassVar = "ReactionStays"


@dataclass(frozen=True, slots=True)
class ReplyDropped(Result):
    """The line back was not sent."""

    kind: ClassVar = "ReplyDropped"
