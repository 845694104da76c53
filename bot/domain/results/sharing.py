"""Results about sharing, from the sharer's side."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class SharePreview(Result):
    """What the partner would see, and asks how it should be received."""

    kind: ClassVar = "SharePreview"

    reflection_id: int
    here: bool = False
    """Whether it replaces the tapped message, rather than being a new one."""
    reworded: bool = False
    """Whether its words were just typed, and aren't the Line's."""


@dataclass(frozen=True, slots=True)
class ShareAgain(Result):
    """A backup was restored: asks whether a Reflection that was set to go out should still do so."""

    kind: ClassVar = "ShareAgain"

    reflection_id: int


@dataclass(frozen=True, slots=True)
class WhenWanted(Result):
    """Asks when it should go out, with everything that the partner will see."""

    kind: ClassVar = "WhenWanted"

    reflection_id: int
    wish: str
    choices: tuple[tuple[str, datetime], ...]
    deep: bool
    drafted: bool
    too_soon: bool = False
    """Whether the time that was picked is no longer possible."""
    set_for: datetime | None = None
    """The scheduled time that the card shows; the card's buttons do nothing once that time has changed. The same holds
    for the results below."""
    cue_id: str = ""


@dataclass(frozen=True, slots=True)
class DayWanted(Result):
    """Asks on which day it should go out."""

    kind: ClassVar = "DayWanted"

    reflection_id: int
    days: tuple[date, ...]
    unclear: bool = False
    which: bool = False
    """Whether the typed text can mean any of these days."""
    set_for: datetime | None = None


@dataclass(frozen=True, slots=True)
class WhichTime(Result):
    """The typed text can mean any of these times."""

    kind: ClassVar = "WhichTime"

    reflection_id: int
    times: tuple[datetime, ...]
    set_for: datetime | None = None


@dataclass(frozen=True, slots=True)
class ShareHourWanted(Result):
    """Asks at which hour of that day it should go out."""

    kind: ClassVar = "ShareHourWanted"

    reflection_id: int
    hours: tuple[datetime, ...]
    set_for: datetime | None = None


@dataclass(frozen=True, slots=True)
class TooSoon(Result):
    """The typed time is earlier than the cool-off allows, or too far ahead."""

    kind: ClassVar = "TooSoon"

    reflection_id: int
    earliest: datetime
    far: bool = False
    set_for: datetime | None = None


@dataclass(frozen=True, slots=True)
class Shared(Result):
    """A time was chosen. The Reflection goes out then, and can be taken back until it is opened.

    Or it waits for a second yes. Only its screen finds that out, from the words; see `Sharing.wants_second_yes`.
    """

    kind: ClassVar = "Shared"

    reflection_id: int
    at: datetime
    expects: bool = False
    """Whether to ask for the sharer's Expectation as well; they have said yes to that before."""


@dataclass(frozen=True, slots=True)
class ShareShown(Result):
    """The state of a Reflection, judged only by its sharer's actions and clock, and what they can do with it."""

    kind: ClassVar = "ShareShown"

    reflection_id: int
    at: datetime
    due: bool
    here: bool = False


@dataclass(frozen=True, slots=True)
class WishWanted(Result):
    """Asks for another Wish."""

    kind: ClassVar = "WishWanted"

    reflection_id: int
    set_for: datetime | None = None


@dataclass(frozen=True, slots=True)
class RewordWanted(Result):
    """The sharer is to type other words; the Line stays as it is."""

    kind: ClassVar = "RewordWanted"

    reflection_id: int


@dataclass(frozen=True, slots=True)
class RewordTooLong(Result):
    kind: ClassVar = "RewordTooLong"
    reflection_id: int
    draft_id: int | None = None


@dataclass(frozen=True, slots=True)
class RewordPreview(Result):
    """Other words for a Reflection that is already scheduled wait for a yes."""

    kind: ClassVar = "RewordPreview"

    reflection_id: int
    message_id: int | None = None
    """The message that contained them."""


@dataclass(frozen=True, slots=True)
class Reworded(Result):
    """The Reflection goes out in other words, at this time."""

    kind: ClassVar = "Reworded"

    reflection_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class LeftPrivate(Result):
    """Nothing was shared."""

    kind: ClassVar = "LeftPrivate"


@dataclass(frozen=True, slots=True)
class Withdrawn(Result):
    """Taken back, unopened."""

    kind: ClassVar = "Withdrawn"


@dataclass(frozen=True, slots=True)
class OpenedBefore(Result):
    """The Reflection has been opened, so it can't be taken back."""

    kind: ClassVar = "OpenedBefore"


@dataclass(frozen=True, slots=True)
class ShareList(Result):
    """The scheduled Reflections, and Lines to choose from, newest first."""

    kind: ClassVar = "ShareList"

    reflections: tuple[tuple[int, datetime], ...]
    lines: tuple[tuple[int, date], ...]
    older: int | None
    """Lines before this id are on the next page."""
    turned: bool = False
    answered: tuple[int, ...] = ()
    """The Reflections among them that have a Response."""
