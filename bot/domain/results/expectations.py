"""Results about what a sharer expects and what came. They hold none of it: it is read when a screen is made."""

from dataclasses import dataclass
from typing import ClassVar

from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class ExpectationOffered(Result):
    """Explains what it would be; nothing is asked before the sharer has said yes to it once."""

    kind: ClassVar = "ExpectationOffered"

    reflection_id: int


@dataclass(frozen=True, slots=True)
class ExpectationWanted(Result):
    kind: ClassVar = "ExpectationWanted"
    reflection_id: int


@dataclass(frozen=True, slots=True)
class ExpectationNoted(Result):
    kind: ClassVar = "ExpectationNoted"


@dataclass(frozen=True, slots=True)
class ExpectationsOff(Result):
    """It is not asked any more, and what was noted is gone."""

    kind: ClassVar = "ExpectationsOff"


@dataclass(frozen=True, slots=True)
class OutcomeWanted(Result):
    """Asks what came, after a Response."""

    kind: ClassVar = "OutcomeWanted"

    reflection_id: int


@dataclass(frozen=True, slots=True)
class OutcomeNoted(Result):
    kind: ClassVar = "OutcomeNoted"
    told: bool = False
    """Whether there are enough for the first time, so that it says how often the worst came."""


@dataclass(frozen=True, slots=True)
class TallyShown(Result):
    """How often the worst was expected, and how often it came."""

    kind: ClassVar = "TallyShown"
