"""Zones by the names people use."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.hours import LONGEST
from bot.domain.times import ON_OFFER
from bot.domain.zone_names import parse_offset, parse_zone, place_in, zones_called, zones_showing

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (" europe/berlin ", "Europe/Berlin"),
        ("America/New York", "America/New_York"),
        ("AMERICA/ARGENTINA/BUENOS_AIRES", "America/Argentina/Buenos_Aires"),
        ("utc", "UTC"),
        ("Berlin", None),
        ("CET", None),
        ("Europe/Nowhere", None),
        ("../etc/passwd", None),
        ("Europe/" + "x" * 100, None),
        ("", None),
    ],
)
def test_zone_by_its_own_name(text: str, zone: str | None) -> None:
    assert parse_zone(text) == zone


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        *(("UTC+3", 3), ("gmt-4", -4), ("+5:30", 5.5), ("+5.5", 5.5), ("-3,5", -3.5), ("+0545", 5.75), ("z+1", 1)),
        *(("utc −3", -3), ("–9.30", -9.5), ("±0", 0), ("+3 h", 3), ("UTC+1, please", 1)),
        *(("Etc/GMT-3", 3), ("etc/gmt+5", -5), ("+14", 14), ("-14", -14)),
        *(("+14:30", None), ("+15", None), ("5:30", None), ("UTC", None), ("+5:60", None), ("", None)),
    ],
)
def test_offset(text: str, hours: float | None) -> None:
    assert parse_offset(text) == (None if hours is None else timedelta(hours=hours))


@pytest.mark.parametrize(
    ("text", "first"),
    [("UTC+1", "Europe/Berlin"), ("CET", "Europe/Berlin"), ("IST", "Asia/Kolkata"), ("CET, bitte.", "Europe/Berlin")],
)
def test_zones_that_an_offset_or_abbreviation_stands_for(text: str, first: str) -> None:
    assert zones_called(text, NOON)[0] == first
    assert len(zones_called(text, NOON)) <= ON_OFFER


def test_likely_zones_come_first() -> None:
    assert zones_called("+1", NOON, likely=["Africa/Lagos"])[0] == "Africa/Lagos"
    assert zones_called("IST", NOON, likely=["Europe/Dublin"])[0] == "Europe/Dublin"


@pytest.mark.parametrize("text", ["xyz", "CET1", "half past one", "+15"])
def test_anything_else_is_no_zone(text: str) -> None:
    assert zones_called(text, NOON) == []


@pytest.mark.parametrize("text", ["13:00", "1 pm", "12:53", "13:07"])
def test_zones_by_the_time_that_a_clock_shows(text: str) -> None:
    zones = zones_showing(text, NOON)
    assert zones[:2] == ("Europe/Berlin", "Africa/Lagos")
    assert len(zones) == ON_OFFER


@pytest.mark.parametrize("text", ["12:52", "13:08", "noon", "+1", "", "0:30", "half past one"])
def test_no_clock_shows_that(text: str) -> None:
    assert zones_showing(text, NOON) == ()


def test_one_time_on_two_days() -> None:
    zones = zones_showing("2:00", NOON)
    assert {"Pacific/Honolulu", "Pacific/Kiritimati"} <= set(zones)
    half = zones_showing("23:00", NOON)
    assert len(half) == len(set(half)) <= ON_OFFER


@pytest.mark.parametrize(
    ("text", "place"),
    [
        *(("Berlin", "Berlin"), ("in Berlin", "Berlin"), ("IN BERLIN", "BERLIN"), ("Berlin Time", "Berlin")),
        *(("in der Schweiz", "Schweiz"), ("I live in New York.", "New York"), ("near  Los   Angeles", "Los Angeles")),
        *(("Berliner Zeit", "Berlin"), ("in Berlin time?", "Berlin"), (" Inverness, ", "Inverness")),
        *(("Xanten", "Xanten"), ("", "")),
    ],
)
def test_place_without_the_words_around_it(text: str, place: str) -> None:
    assert place_in(text) == place


def test_name_may_be_as_long_as_a_typed_hour() -> None:
    assert parse_zone("Europe/Berlin" + " " * LONGEST) == "Europe/Berlin"
