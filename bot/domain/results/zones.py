"""The zone: which clock, city or place, at the start and in the settings."""

from dataclasses import dataclass
from typing import ClassVar

from bot.domain.results.base import Result
from bot.domain.results.start import Came


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
class ZoneChanged(Result):
    """The zone was chosen: we say what time it is there now, and when the next question comes."""

    kind: ClassVar = "ZoneChanged"

    sought: bool = False
    """Whether a place was typed or shared, or we had asked for one: there may be a keyboard for the location."""


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
