"""What a zone tells about the calendar where it is."""

import pytest

from bot.calendars import dark_months, weekend
from bot.domain.zones import KNOWN_ZONES

NORTH, SOUTH, NONE = {11, 12, 1, 2}, {5, 6, 7, 8}, set[int]()


@pytest.mark.parametrize(
    ("zone", "days"),
    [
        ("Europe/Berlin", {5, 6}),
        ("America/Los_Angeles", {5, 6}),
        ("Asia/Kolkata", {6}),
        ("Asia/Calcutta", {6}),
        ("Asia/Riyadh", {4, 5}),
        ("Asia/Tehran", {4}),
        ("UTC", {5, 6}),
        ("Antarctica/Casey", {5, 6}),
    ],
)
def test_free_days_match_the_country(zone: str, days: set[int]) -> None:
    assert weekend(zone) == days


@pytest.mark.parametrize(
    ("zone", "months"),
    [
        ("Europe/Berlin", NORTH),
        ("Europe/Kiev", NORTH),
        ("America/Los_Angeles", NORTH),
        ("Australia/Lord_Howe", SOUTH),
        ("Australia/Melbourne", SOUTH),
        ("America/Sao_Paulo", SOUTH),
        ("Asia/Singapore", NONE),
        ("Asia/Kolkata", NONE),
        ("UTC", NONE),
    ],
)
def test_dark_months_match_the_latitude(zone: str, months: set[int]) -> None:
    assert dark_months(zone) == months


@pytest.mark.parametrize("zone", KNOWN_ZONES)
def test_every_zone_has_a_weekend(zone: str) -> None:
    assert 1 <= len(weekend(zone)) <= 2
    assert len(dark_months(zone)) in {0, 4}
