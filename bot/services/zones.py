"""Setting the zone: likely clocks, any clock, a typed place or time, a shared location; at the start and later."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from bot.domain.hours import parse_hour
from bot.domain.model import Dialog, Step, Waiting
from bot.domain.moments import looks_like_time
from bot.domain.results import (
    CityWanted,
    ClockWanted,
    ElsewhereWanted,
    PlaceSought,
    PlaceWanted,
    RegionWanted,
    RegionZones,
    Result,
    Unclear,
    ZoneChanged,
)
from bot.domain.times import best_known, is_zone, zones_with_clock
from bot.domain.zone_names import parse_zone, place_in, zones_called, zones_showing
from bot.domain.zones import Region
from bot.i18n import languages, likely_zones, say_in, zones_named
from bot.services.lines import Typed
from bot.services.planning import replan
from bot.services.visit import Visit

_LONGEST_PLACE: Final = 80
_AWAITED_FOR: Final = timedelta(minutes=10)
"""For how long we take a text as a place. It is short, since the next Ask's answer isn't one."""

Settle = Callable[[Visit, str], Awaitable[Result]]
"""Sets the zone of a user who is still at the start, and goes on with the start."""


class Zones:
    """Use cases around the zone, for users at the start and for those who change it."""

    def __init__(self, settle: Settle) -> None:
        self._settle = settle
        self.typed: dict[Waiting, Typed] = {Waiting.ZONE: self.place_typed, Waiting.PLACE: self.place_typed}

    async def clocks(self, visit: Visit, *, unclear: Unclear | None = None) -> Result:
        """Show the likely clocks."""
        await self._await_place(visit)
        return ClockWanted(unclear)

    async def elsewhere(self, visit: Visit) -> Result:
        """Show every other way to name a clock."""
        await self._await_place(visit)
        return ElsewhereWanted()

    async def near(self, visit: Visit, offset: int) -> Result:
        """Offer the cities whose clock is now `offset` minutes from UTC. If there is only one, set it."""
        zones = zones_with_clock(visit.now, timedelta(minutes=offset), likely=likely_zones(visit.user.language))
        if len(zones) == 1:
            return await self.set(visit, zones[0])
        return CityWanted(tuple(zones)) if zones else await self.clocks(visit)

    async def regions(self, visit: Visit) -> Result:
        await self._await_place(visit)
        return RegionWanted()

    async def region(self, _visit: Visit, region: Region, page: int) -> Result:
        return RegionZones(region, page)

    async def location(self, visit: Visit) -> Result:
        """Wait for a location, which a keyboard shares from now on, or for a typed city."""
        await _await(visit, Waiting.PLACE)
        return PlaceWanted()

    async def located(self, visit: Visit) -> Result:
        """Look up a shared location."""
        await self._await_place(visit)
        return PlaceSought()

    async def place_said(self, visit: Visit, words: str) -> Result:
        """Handle a typed place, offset or time of day, or the "Back" key of the keyboard."""
        if any(words == say_in(language)("Back") for language in languages()):
            await _await(visit, Waiting.ZONE)
            return ClockWanted()
        await self._await_place(visit)
        if zones := zones_meant(words, visit.now, visit.user.language):
            return CityWanted(zones, called=True)
        if parse_hour(words):
            return ClockWanted(Unclear.CLOCK)
        if looks_like_time(words):
            return ClockWanted(Unclear.TIME)
        return PlaceSought() if len(words) <= _LONGEST_PLACE else ClockWanted(Unclear.PLACE)

    async def place_typed(self, visit: Visit, awaited: Dialog, words: str, _message_id: int) -> Result | None:
        if len(words) > _LONGEST_PLACE:
            return None
        await _await(visit, awaited.waiting)
        return await self.place_said(visit, words)

    async def set(self, visit: Visit, zone: str) -> Result:
        """Set the user's zone."""
        if not is_zone(zone):
            return await self.clocks(visit, unclear=Unclear.PLACE)
        await visit.rows.dialogs.forget(visit.user.id)
        if visit.user.step is Step.ZONE:
            return await self._settle(visit, zone)
        await replan(visit, zone=zone)
        return ZoneChanged()

    async def _await_place(self, visit: Visit) -> None:
        """Wait for a place. If a keyboard for the location is on the screen, it stays."""
        has_keyboard = await visit.rows.dialogs.awaited(visit.user.id, visit.now) is Waiting.PLACE
        await _await(visit, Waiting.PLACE if has_keyboard else Waiting.ZONE)


async def _await(visit: Visit, waiting: Waiting) -> None:
    await visit.rows.dialogs.await_(visit.user.id, Dialog(waiting, 0, visit.now + _AWAITED_FOR))


def zones_meant(text: str, now: datetime, language: str) -> tuple[str, ...]:
    """Return the zones that a text means by their name, an offset, an abbreviation, or the time their clock shows.

    Those where `language` is spoken come first. The result is empty if the text can only be a place.
    """
    likely, name = likely_zones(language), place_in(text)
    if zone := parse_zone(text):
        named = zones_named(zone)
        return (named[0] if named else zone,)
    found = {*zones_called(text, now, likely), *zones_named(text), *zones_named(name)}
    if found:
        return tuple(best_known(found, now, likely=likely))
    return zones_showing(text, now)
