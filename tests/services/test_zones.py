"""Zones typed as an offset from UTC: each offered zone has exactly that offset now, or none is offered."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.places import Places
from bot.services.zones import zones_meant

HOUR = timedelta(hours=1)
QUARTERS = range(-12 * 4, 14 * 4 + 1)
"""From UTC-12 to UTC+14."""
MOMENTS = st.integers(0, 4 * 365 * 24).map(lambda hours: datetime(2026, 1, 1, 0, 7, tzinfo=UTC) + hours * HOUR)
SUMMER = datetime(2027, 7, 15, 23, 7, tzinfo=UTC)
MINUS = "\u2212"


def written(quarters: int) -> Iterator[str]:
    """Write an offset as people do."""
    minutes = quarters * 15
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    for zone in ("UTC", "utc ", "GMT", "gmt ", ""):
        yield f"{zone}{sign}{hours}:{rest:02}"
        yield f"{zone}{sign}{hours:02}:{rest:02}"
        yield f"{zone}{sign}{hours:02}{rest:02}"
        yield f"{zone}{sign} {hours}:{rest:02}"
        if rest == 0:
            yield f"{zone}{sign}{hours}"
            yield f"{zone}{sign}{hours:02}"
            yield f"{zone}{sign}{hours}h"
        if rest == 30:
            yield f"{zone}{sign}{hours}.5"
            yield f"{zone}{sign}{hours},5"
    yield f"UTC{MINUS if minutes < 0 else sign}{hours}:{rest:02}"
    yield f"UTC{sign}{hours}:{rest:02} please"
    if rest == 0:
        yield f"Etc/GMT{'+' if minutes < 0 else '-'}{hours}"  # the sign is the other way round here


def offsets(zones: tuple[str, ...], now: datetime) -> set[timedelta | None]:
    return {now.astimezone(ZoneInfo(zone)).utcoffset() for zone in zones}


@given(st.sampled_from(QUARTERS), st.data(), MOMENTS, st.sampled_from(["en", "de", "pt", "hi", "xx"]))
def test_offered_zone_has_the_typed_offset(quarters: int, data: st.DataObject, now: datetime, language: str) -> None:
    typed = data.draw(st.sampled_from(list(written(quarters))))
    found = zones_meant(typed, now, language)
    assert offsets(found, now) <= {timedelta(minutes=15 * quarters)}, (typed, found)


@pytest.mark.parametrize("hours", [*range(-11, -2), -1, *range(15)])
def test_every_full_hour_is_found(hours: int) -> None:
    for typed in written(hours * 4):
        assert offsets(zones_meant(typed, SUMMER, "en"), SUMMER) == {timedelta(hours=hours)}, typed


@pytest.mark.parametrize(("typed", "zone"), [("+5:30", "Asia/Kolkata"), ("+5:45", "Asia/Kathmandu")])
def test_partial_hour_offsets_are_found(typed: str, zone: str) -> None:
    assert zone in zones_meant(typed, SUMMER, "en")


@pytest.mark.parametrize("typed", ["UTC", "utc", "utc+0", "UTC±0", "GMT-0", "Z"])
def test_zero_offset(typed: str) -> None:
    assert offsets(zones_meant(typed, SUMMER, "en"), SUMMER) <= {timedelta()}


@pytest.mark.parametrize("typed", ["UTC+15", "UTC-14:30", "+99", "GMT+3:75", "UTC+", "UTC++3"])
def test_invalid_offset_offers_none(typed: str) -> None:
    assert zones_meant(typed, SUMMER, "en") == ()


@pytest.mark.parametrize("typed", ["UTC- 12:00", "-12:00", "UTC -11:30"])
def test_unused_offset_is_not_a_clock(typed: str) -> None:
    assert zones_meant(typed, datetime(2026, 1, 1, 0, 7, tzinfo=UTC), "en") == ()


async def test_nonexistent_offset_is_not_a_town(places_folder: Path) -> None:
    places = Places(places_folder)
    try:
        for quarters in QUARTERS:
            for typed in written(quarters):
                if not zones_meant(typed, SUMMER, "en"):
                    assert await places.find(typed) == []
    finally:
        await places.close()
