"""Results about the zone: which clock, city or place. The start and the settings share them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from bot.domain.results.base import Result
from bot.domain.results.start import Came


class Unclear(StrEnum):
    """Why a typed text led to no clock."""

    PLACE = "place"  # we know no place of that name
    CLOCK = "clock"  # it is a time of day that no clock shows at the moment
    TIME = "time"  # it is written like a time, but there is no such time of day


@dataclass(frozen=True, slots=True)
class ClockWanted(Result):
    """Asks what time it is for the user now, with the clocks that most people of their language live by."""

    kind: ClassVar = "ClockWanted"

    unclear: Unclear | None = None
    """Rows of earlier versions have a bool, which stood for `PLACE`."""
    invite: Came = Came.ALONE


@dataclass(frozen=True, slots=True)
class ElsewhereWanted(Result):
    """The user's clock isn't one of the likely ones. Asks for a place or a time, or for a tap on any clock."""

    kind: ClassVar = "ElsewhereWanted"


@dataclass(frozen=True, slots=True)
class PlaceWanted(Result):
    """Asks for a location, which a keyboard shares from now on, or for a typed city."""

    kind: ClassVar = "PlaceWanted"


@dataclass(frozen=True, slots=True)
class CityWanted(Result):
    """Asks which of these zones it is."""

    kind: ClassVar = "CityWanted"

    zones: tuple[str, ...]
    called: bool = False
    """Whether the user typed something rather than tapping a clock; then we ask even about a single zone."""


@dataclass(frozen=True, slots=True)
class PlaceSought(Result):
    """The user typed a city or shared a location; we look it up when this is shown."""

    kind: ClassVar = "PlaceSought"


@dataclass(frozen=True, slots=True)
class ZoneChanged(Result):
    """The zone was chosen: we say what time it is there now, and when the next question comes."""

    kind: ClassVar = "ZoneChanged"


@dataclass(frozen=True, slots=True)
class RegionWanted(Result):
    """Asks in which part of the world the user is."""

    kind: ClassVar = "RegionWanted"


@dataclass(frozen=True, slots=True)
class RegionZones(Result):
    """One page of the places in a region."""

    kind: ClassVar = "RegionZones"

    region: str
    page: int
