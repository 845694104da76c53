"""Which zones a text means: by their name, an offset, an abbreviation, or the time that their clock shows."""

from datetime import datetime

from bot.domain.times import best_known
from bot.domain.zone_names import parse_zone, place_in, zones_called, zones_showing
from bot.i18n import likely_zones, zones_named


def zones_meant(text: str, now: datetime, language: str) -> tuple[str, ...]:
    """Return the zones to choose from, those where `language` is spoken first; none if it can only be a place."""
    likely, name = likely_zones(language), place_in(text)
    if zone := parse_zone(text):
        named = zones_named(zone)
        return (named[0] if named else zone,)
    found = {*zones_called(text, now, likely), *zones_named(text), *zones_named(name)}
    if found:
        return tuple(best_known(found, now, likely=likely))
    return zones_showing(text, now)
