"""Results about setting up."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from bot.domain.results.base import Result


class Came(StrEnum):
    """Whether a user who is setting up came with an Invite."""

    ALONE = "alone"
    WAITS = "waits"  # it is shown when setting up is done
    NOWHERE = "nowhere"  # it leads nowhere


@dataclass(frozen=True, slots=True)
class ConsentWanted(Result):
    """The greeting: says what this is, and asks for consent and age."""

    kind: ClassVar = "ConsentWanted"

    @property
    def from_rows(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Declined(Result):
    """Consent was not given; nothing is stored."""

    kind: ClassVar = "Declined"


@dataclass(frozen=True, slots=True)
class HourWanted(Result):
    """Asks at what time the daily question should come."""

    kind: ClassVar = "HourWanted"

    typed: bool = False
    unclear: bool = False
    invite: Came = Came.ALONE


@dataclass(frozen=True, slots=True)
class Ready(Result):
    """Setting up is done."""

    kind: ClassVar = "Ready"

    first_at: datetime
    again: bool = False


@dataclass(frozen=True, slots=True)
class FirstAskPlanned(Result):
    """The user waits for the first Ask to come at its hour."""

    kind: ClassVar = "Waits"

    first_at: datetime
