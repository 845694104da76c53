"""Zones by the names people use."""

import pytest

from bot.domain.zone_names import parse_zone


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
