"""Results about Expectations and Outcomes. They contain neither: a screen reads them when it is made."""

from dataclasses import dataclass
from typing import ClassVar

from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class ExpectationOffered(Result):
    """Explains Expectations. We ask for none before the sharer has said yes to this once."""

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
    """We no longer ask for Expectations, and the noted ones are deleted."""

    kind: ClassVar = "ExpectationsOff"


@dataclass(frozen=True, slots=True)
class OutcomeWanted(Result):
    """Asks for the Outcome after a Response."""

    kind: ClassVar = "OutcomeWanted"

    reflection_id: int


@dataclass(frozen=True, slots=True)
class OutcomeNoted(Result):
    kind: ClassVar = "OutcomeNoted"
    told: bool = False
    """Whether there are now enough, for the first time, to say how often the worst came."""


@dataclass(frozen=True, slots=True)
class TallyShown(Result):
    """How often the worst was expected, and how often it came."""

    kind: ClassVar = "TallyShown"
