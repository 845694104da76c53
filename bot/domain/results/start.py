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
class ClockWanted(Result):
    """Asks what time it is for the user now."""

    kind: ClassVar = "ClockWanted"

    unclear: bool = False
    settings: bool = False
    """Whether we ask from the settings, rather than while setting up; the same in the next three results."""
    invite: Came = Came.ALONE


@dataclass(frozen=True, slots=True)
class PlaceWanted(Result):
    """The user is to type a city or share a location."""

    kind: ClassVar = "PlaceWanted"

    settings: bool = False


@dataclass(frozen=True, slots=True)
class CityWanted(Result):
    """Asks which of these zones it is; all of them show the clock that was picked."""

    kind: ClassVar = "CityWanted"

    zones: tuple[str, ...]
    settings: bool = False
    called: bool = False
    """Whether a name or an offset was typed: then we ask even about a single zone."""


@dataclass(frozen=True, slots=True)
class PlaceSought(Result):
    """A city was typed or a location shared; we look up which place it is when this is shown."""

    kind: ClassVar = "PlaceSought"

    settings: bool = False

    @property
    def from_rows(self) -> bool:
        return False


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
