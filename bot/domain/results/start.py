"""The start."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.results.base import Result


class Came(StrEnum):
    """Whether somebody came to the start with an Invite."""

    ALONE = "alone"
    WAITS = "waits"  # it is shown when the start is done
    NOWHERE = "nowhere"  # it leads nowhere


@dataclass(frozen=True, slots=True)
class ConsentWanted(Result):
    """The greeting: what this is, and the question for consent and age."""


@dataclass(frozen=True, slots=True)
class Declined(Result):
    """Consent was not given; nothing is stored."""


@dataclass(frozen=True, slots=True)
class HourWanted(Result):
    """At what time shall the question come."""

    typed: bool = False
    unclear: bool = False
    invite: Came = Came.ALONE


@dataclass(frozen=True, slots=True)
class ClockWanted(Result):
    """What time is it for you now."""

    unclear: bool = False
    settings: bool = False
    """Asked from the settings, rather than at the start; so in the three below."""
    invite: Came = Came.ALONE


@dataclass(frozen=True, slots=True)
class PlaceWanted(Result):
    """Type a city, or share a location."""

    settings: bool = False


@dataclass(frozen=True, slots=True)
class CityWanted(Result):
    """Which of these zones, which all show the clock that was picked."""

    zones: tuple[str, ...]
    settings: bool = False
    called: bool = False
    """By a name or an offset that was typed: a single one is asked about."""


@dataclass(frozen=True, slots=True)
class PlaceSought(Result):
    """A city was typed or a location shared; which place it is, is looked up when this is shown."""

    settings: bool = False


@dataclass(frozen=True, slots=True)
class Ready(Result):
    """The start is done."""

    first_at: datetime
    again: bool = False


@dataclass(frozen=True, slots=True)
class Waits(Result):
    """The user waits for the first Ask until its hour."""

    first_at: datetime
