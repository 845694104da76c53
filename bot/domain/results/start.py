"""The start."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from bot.domain.results.base import Result


class Came(StrEnum):
    """Whether somebody came to the start with an Invite."""

    ALONE = "alone"
    WAITS = "waits"  # it is shown when the start is done
    NOWHERE = "nowhere"  # it leads nowhere


@dataclass(frozen=True, slots=True)
class ConsentWanted(Result):
    """The greeting: what this is, and the question for consent and age."""

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
    """At what time shall the question come."""

    kind: ClassVar = "HourWanted"

    typed: bool = False
    unclear: bool = False
    invite: Came = Came.ALONE


@dataclass(frozen=True, slots=True)
class ClockWanted(Result):
    """What time is it for you now."""

    kind: ClassVar = "ClockWanted"

    unclear: bool = False
    settings: bool = False
    """Asked from the settings, rather than at the start; so in the three below."""
    invite: Came = Came.ALONE


@dataclass(frozen=True, slots=True)
class PlaceWanted(Result):
    """Type a city, or share a location."""

    kind: ClassVar = "PlaceWanted"

    settings: bool = False


@dataclass(frozen=True, slots=True)
class CityWanted(Result):
    """Which of these zones, which all show the clock that was picked."""

    kind: ClassVar = "CityWanted"

    zones: tuple[str, ...]
    settings: bool = False
    called: bool = False
    """By a name or an offset that was typed: a single one is asked about."""


@dataclass(frozen=True, slots=True)
class PlaceSought(Result):
    """A city was typed or a location shared; which place it is, is looked up when this is shown."""

    kind: ClassVar = "PlaceSought"

    settings: bool = False

    @property
    def from_rows(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Ready(Result):
    """The start is done."""

    kind: ClassVar = "Ready"

    first_at: datetime
    again: bool = False


@dataclass(frozen=True, slots=True)
class FirstAskPlanned(Result):
    """The user waits for the first Ask until its hour."""

    kind: ClassVar = "Waits"

    first_at: datetime
