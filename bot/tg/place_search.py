"""Finds places, with their zones, by a typed name or a shared location."""

from collections import Counter
from typing import Final

import structlog

from bot.clock import Clock
from bot.domain.times import is_zone, one_of_each_clock
from bot.domain.zone_names import place_in
from bot.i18n import Say, zones_of_city
from bot.logs import incident
from bot.places import Place, Places, PlacesError
from bot.tg.updates import Update
from bot.tg.written import argument_of

_SHOWN: Final = 8

log = structlog.stdlib.get_logger(__name__)


class PlaceSearch:
    """Searches when the answer is sent, since we store nothing about a place but its zone."""

    def __init__(self, places: Places, clock: Clock) -> None:
        self._places = places
        self._clock = clock

    def prepare_soon(self) -> None:
        """Load the places in advance, since the user will probably name one next."""
        self._places.prepare_soon()

    async def sought(self, update: Update | None, say: Say) -> tuple[tuple[str, str], ...]:
        """Return the places with this name or at this location, named in the user's language, with their zones."""
        message = update.effective_message if update else None
        if update is None or message is None:
            return ()
        try:
            if message.location:
                zone = await self._places.zone_at(message.location.latitude, message.location.longitude)
                return ((say.city(zone), zone),) if zone and is_zone(zone) else ()
            text = argument_of(message.text or "") or message.text or ""
            found = await self._places.find(text, limit=_SHOWN)
            if not found or found[0].begins:
                found = await self._places.find(place_in(text), limit=_SHOWN)
            if len(found) == 1 and found[0].begins:
                return ()  # a remote town that only begins with the typed name is never the only offer
            one_each = one_of_each_clock([place.zone for place in found], self._clock.now())
            if len({place.country_code for place in found}) == 1 and len(found) > _SHOWN:
                found = [place for place in found if place.zone in one_each]
            if not found:
                return tuple((say.city(zone), zone) for zone in zones_of_city(text))
        except PlacesError as error:
            incident(log, error, update=update.update_id)
            return ()
        alike = Counter((place.name, place.country_code) for place in found)
        return tuple(
            (_named(place, say, apart=alike[place.name, place.country_code] > 1), place.zone)
            for place in found
            if is_zone(place.zone)
        )


def _named(place: Place, say: Say, *, apart: bool) -> str:
    """Return a town with its country, or with its area to tell it `apart` from another one of the same name."""
    town = say.town(place.name, place.zone)
    if not apart or not place.area:
        return f"{town}, {say.country(place.country_code)}"
    if place.country_code == "US":
        return f"{town}, {place.area}"
    # Translators: a town, told from others of its name by a larger city in the same part of its country
    return say("%(town)s near %(city)s", town=place.name, city=place.area)
