"""Read zones as people name them: by offset, by abbreviation, or by the time their clock shows.

`places` finds countries and cities, `i18n` finds zones named in words.
"""

import re
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from bot.domain.hours import LONGEST, parse_hour, without_courtesy
from bot.domain.time_words import LANGUAGES
from bot.domain.times import (
    ON_OFFER,
    apart,
    best_known,
    clock_offsets,
    is_zone,
    zones_abbreviated,
    zones_with_clock,
)
from bot.domain.typed import plain, visible

_WRONG_BY: Final = timedelta(minutes=7)
_FURTHEST: Final = timedelta(hours=14)
_OFFSET: Final = re.compile(r"(?:utc|gmt|z)? ?([-+−–±]) ?(\d{1,2})(?:[:.]?([0-5]\d)|[.,](5))?(?: ?h)?")
_ENDS: Final = " .,!?"
_POSIX: Final = re.compile(r"etc/gmt([-+])(\d{1,2})")
"""These names have the opposite sign: https://data.iana.org/time-zones/tz-link.html, file `etcetera`."""


def parse_zone(text: str) -> str | None:
    """Read a zone by its name in the tz database: "Europe/Berlin", "america/new york", "utc"."""
    name = "_".join(visible(text).split())
    if len(name) > LONGEST:
        return None
    titled = re.sub(r"[a-z]+", lambda word: word[0].capitalize(), name.casefold())
    return next((spelled for spelled in (name, titled, name.upper()) if is_zone(spelled)), None)


def parse_offset(text: str) -> timedelta | None:
    """Read an offset from UTC, positive if ahead of it: "UTC+3", "+5:30", "GMT-4", "Etc/GMT-3"."""
    said = without_courtesy(plain(text)).strip(_ENDS)
    if match := _POSIX.fullmatch(said):
        offset = timedelta(hours=int(match[2]))
        return -offset if match[1] == "+" else offset
    if (match := _OFFSET.fullmatch(said)) is None:
        return None
    offset = timedelta(hours=int(match[2]), minutes=30 if match[4] else int(match[3] or 0))
    if offset > _FURTHEST:
        return None
    return offset if match[1] in "+±" else -offset


def zones_called(text: str, now: datetime, likely: Collection[str] = ()) -> list[str]:
    """Return at most ON_OFFER zones that an offset or an abbreviation stands for, the likely ones first."""
    offset = parse_offset(text)
    if offset is not None:
        return zones_with_clock(now, offset, likely=likely)
    said = without_courtesy(plain(text)).strip(_ENDS)
    return best_known(zones_abbreviated(said, now), now, likely=likely) if said.isalpha() else []


def zones_showing(text: str, now: datetime) -> tuple[str, ...]:
    """Return the zones for a typed clock time, even if the user's clock is a little wrong."""
    is_hour = any(map(str.isdigit, text)) and parse_offset(text) is None
    at = parse_hour(text) if is_hour else None
    if at is None:
        return ()
    near = [choice.minutes for choice in clock_offsets(now) if apart(choice.local.time(), at) <= _WRONG_BY]
    each = ON_OFFER // max(len(near), 1)  # two if it is the same time on different days
    return tuple(zone for minutes in near for zone in zones_with_clock(now, timedelta(minutes=minutes), limit=each))


def place_in(text: str) -> str:
    """Return the name of a place without the words around it: "in Berlin", "Berlin time", "in der Schweiz"."""
    said = " ".join(text.split()).strip(_ENDS)
    for pattern in ("^(?:{0.before_place})", "(?:{0.after_place})$"):
        readings = [re.sub(pattern.format(words), "", said, flags=re.IGNORECASE) for words in LANGUAGES.values()]
        said = min(readings, key=len)
    return said.strip(_ENDS)
