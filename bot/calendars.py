"""Derives the local calendar from a time zone: which weekdays are free, and which months are dark."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from statistics import fmean
from typing import Final

from bot.i18n import country_of, weekend_in

_TROPIC: Final = 23.44
"""Degrees from the equator; nearer to it no months are dark."""
_NORTHERN: Final = frozenset({11, 12, 1, 2})
_SOUTHERN: Final = frozenset({5, 6, 7, 8})
_LATITUDE: Final = re.compile(r"([+-]\d{2})(\d{2})")


@cache
def weekend(zone: str) -> frozenset[int]:
    """Return the weekdays that are free in the zone's country, by CLDR; Monday is 0."""
    return weekend_in(country_of(zone))


@cache
def dark_months(zone: str) -> frozenset[int]:
    """Return the four months around the shortest day where the zone is; none between the tropics, and none for UTC."""
    latitude = _latitudes().get(zone)
    if latitude is None:  # an older name of a zone, whose country is known all the same
        latitude = _latitudes().get(country_of(zone) or "", 0.0)
    if abs(latitude) <= _TROPIC:
        return frozenset()
    return _NORTHERN if latitude > 0 else _SOUTHERN


@cache
def _latitudes() -> Mapping[str, float]:
    """Return the latitude of each zone's city in degrees, and the mean of each country's cities by its ISO code."""
    found: dict[str, float] = {}
    of_country: dict[str, list[float]] = {}
    for row in (files("tzdata.zoneinfo") / "zone.tab").read_text(encoding="utf-8").splitlines():
        if row.startswith("#"):
            continue
        country, place, zone = row.split("\t")[:3]
        if match := _LATITUDE.match(place):
            degrees = int(match[1])
            minutes = int(match[2]) / 60
            found[zone] = degrees + minutes if place.startswith("+") else degrees - minutes
            of_country.setdefault(country, []).append(found[zone])
    return found | {country: fmean(each) for country, each in of_country.items()}
