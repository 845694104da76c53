"""The Ritual: proposed, agreed, asked for in the morning, and ended."""

from dataclasses import dataclass
from datetime import date, datetime

from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class RitualNone(Result):
    """There is no Ritual and no proposal: what it would be."""

    here: bool = False


@dataclass(frozen=True, slots=True)
class RitualDayWanted(Result):
    pass


@dataclass(frozen=True, slots=True)
class RitualHourWanted(Result):
    weekday: int


@dataclass(frozen=True, slots=True)
class RitualProposed(Result):
    """The user has proposed it; the partner may say yes, or nothing."""

    ritual_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class RitualAsked(Result):
    """The partner proposes a Ritual."""

    ritual_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class RitualDeclined(Result):
    pass


@dataclass(frozen=True, slots=True)
class RitualShown(Result):
    """It is agreed; `at` is the next moment."""

    ritual_id: int
    at: datetime
    new: bool = False
    open: bool = False
    """Something can be put in now."""
    reflection_id: int = 0
    """What the user has put in; 0 for nothing."""


@dataclass(frozen=True, slots=True)
class RitualEndWanted(Result):
    ritual_id: int


@dataclass(frozen=True, slots=True)
class RitualEnded(Result):
    """It was ended, or the proposal taken back."""


@dataclass(frozen=True, slots=True)
class RitualMorning(Result):
    """Today is the moment: put in a line of the week, a new one, or nothing."""

    at: datetime
    here: bool = False


@dataclass(frozen=True, slots=True)
class RitualLines(Result):
    """The lines of the week, to choose one for the moment `at`."""

    lines: tuple[tuple[int, date], ...]
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RitualLineWanted(Result):
    """The next text is kept as a line and previewed."""

    too_long: bool = False
    """What was sent is longer than a line may be."""


@dataclass(frozen=True, slots=True)
class RitualPreview(Result):
    """What the partner would see; how shall it be received."""

    reflection_id: int
    here: bool = False


@dataclass(frozen=True, slots=True)
class RitualTermsWanted(Result):
    """Either way, or only if there is one from them too."""

    reflection_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class RitualPutIn(Result):
    """It is in, and can be taken out until the moment."""

    reflection_id: int
    terms: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RitualNothing(Result):
    """Nothing this time."""


@dataclass(frozen=True, slots=True)
class RitualTooLate(Result):
    """It is not the day, or too close to the moment."""

    at: datetime | None = None
    """The next moment, where there is one."""
    minutes: int = 0
    """For a line that would have had to be put in earlier: for how long it rests before it goes out."""
