"""Results about the Ritual: proposed, agreed, asked for in the morning, and ended."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class RitualNone(Result):
    """There is neither a Ritual nor a proposal; we explain what a Ritual is."""

    kind: ClassVar = "RitualNone"

    here: bool = False


@dataclass(frozen=True, slots=True)
class RitualDayWanted(Result):
    kind: ClassVar = "RitualDayWanted"
    same_question: bool = False
    """Whether the proposal includes the same question for both."""


@dataclass(frozen=True, slots=True)
class RitualHourWanted(Result):
    kind: ClassVar = "RitualHourWanted"
    weekday: int
    same_question: bool = False


@dataclass(frozen=True, slots=True)
class RitualProposed(Result):
    """The user has proposed a Ritual; the partner can say yes, or nothing."""

    kind: ClassVar = "RitualProposed"

    ritual_id: int
    at: datetime
    same_question: bool = False


@dataclass(frozen=True, slots=True)
class RitualAsked(Result):
    """The partner proposes a Ritual."""

    kind: ClassVar = "RitualAsked"

    ritual_id: int
    at: datetime
    same_question: bool = False
    """Whether the partner also proposes the same question for both."""


@dataclass(frozen=True, slots=True)
class RitualDeclined(Result):
    kind: ClassVar = "RitualDeclined"


@dataclass(frozen=True, slots=True)
class RitualShown(Result):
    """The agreed Ritual; `at` is its next moment."""

    kind: ClassVar = "RitualShown"

    ritual_id: int
    at: datetime
    new: bool = False
    open: bool = False
    """Whether something can be put in now."""
    reflection_id: int = 0
    """The Reflection that the user has put in; 0 for nothing."""
    same_question: bool = False


@dataclass(frozen=True, slots=True)
class RitualEndWanted(Result):
    kind: ClassVar = "RitualEndWanted"
    ritual_id: int


@dataclass(frozen=True, slots=True)
class RitualEnded(Result):
    """The Ritual was ended, or its proposal taken back."""

    kind: ClassVar = "RitualEnded"


@dataclass(frozen=True, slots=True)
class RitualMorning(Result):
    """The moment is today: the user can put in a line of the week, a new one, or nothing."""

    kind: ClassVar = "RitualMorning"

    at: datetime
    here: bool = False
    prompt_id: str | None = None
    """The question that both are asked, if they agreed on one."""


@dataclass(frozen=True, slots=True)
class RitualLines(Result):
    """The lines of the week, to choose one for the moment `at`."""

    kind: ClassVar = "RitualLines"

    lines: tuple[tuple[int, date], ...]
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RitualLineWanted(Result):
    """The next text is kept as a line and previewed."""

    kind: ClassVar = "RitualLineWanted"

    too_long: bool = False
    """Whether the text that was sent is longer than a line can be."""
    prompt_id: str | None = None
    """The question that it answers."""
    noticed: bool = False
    """Whether it should be about something that the partner did or carried."""
    draft_id: int | None = None


@dataclass(frozen=True, slots=True)
class RitualPreview(Result):
    """What the partner would see, and asks how it should be received."""

    kind: ClassVar = "RitualPreview"

    reflection_id: int
    here: bool = False


@dataclass(frozen=True, slots=True)
class RitualTermsWanted(Result):
    """Asks whether the Reflection goes out either way, or only if the partner puts one in too."""

    kind: ClassVar = "RitualTermsWanted"

    reflection_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class RitualPutIn(Result):
    """The Reflection is put in, and can be taken out until the moment."""

    kind: ClassVar = "RitualPutIn"

    reflection_id: int
    terms: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RitualNothing(Result):
    """The user puts in nothing this time."""

    kind: ClassVar = "RitualNothing"


@dataclass(frozen=True, slots=True)
class RitualTooLate(Result):
    """Nothing can be put in: it isn't the day, or it is too close to the moment."""

    kind: ClassVar = "RitualTooLate"

    at: datetime | None = None
    """The next moment, if there is one."""
    minutes: int = 0
    """How long a line has to cool off, if that is why it is too late."""
