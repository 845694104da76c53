"""Every zone of the tz database, 2025 to 2035, every quarter of an hour: each local date has exactly one slot.

python -m pytest tests/prove/slots.py: about ten minutes on two free cores. Zones that show the same clock at every
quarter of an hour in those years are walked once.
"""

import os
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta

import pytest

from bot.domain import times
from bot.domain.times import Slot
from tests.clockwork import QUARTER, Walk, all_zones, behaviour, quarters, utc

START, END = utc("2024-12-29"), utc("2036-01-03")
YEARS = [date(2025, 1, 1) + timedelta(days=ahead) for ahead in range((date(2036, 1, 1) - date(2025, 1, 1)).days)]


def _fingerprint(zone: str) -> tuple[int, str]:
    moments = (START + index * QUARTER for index in range((END - START) // QUARTER))
    return hash(behaviour(zone, moments)), zone


def _prove(zone: str) -> tuple[str, list[str]]:
    """Walk along UTC once, then request one slot after the other at each quarter of the day."""
    walk, wrong = Walk(zone, START, END), []
    for at in quarters():
        expected = [Slot(day, moment) for day in YEARS if (moment := walk.slot(day, at)) is not None]
        if len(expected) != len(YEARS):
            wrong.append(f"{zone} {at}: a date without a slot")
        slot = times.next_slot(expected[0].at - timedelta(microseconds=1), at, zone)
        for wanted in expected:
            if slot != wanted:
                wrong.append(f"{zone} {at}: {slot} instead of {wanted}")
                break
            slot = times.next_slot(slot.at, at, zone)
    return zone, wrong


@pytest.mark.timeout(3 * 3600)
def test_every_date_has_one_slot_everywhere() -> None:
    wrong: list[str] = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        clocks: dict[int, list[str]] = defaultdict(list)
        for fingerprint, zone in pool.map(_fingerprint, all_zones(), chunksize=8):
            clocks[fingerprint].append(zone)
        print(f"{sum(map(len, clocks.values()))} zones, {len(clocks)} different clocks, {len(YEARS)} dates")  # noqa: T201
        for _, found in pool.map(_prove, [names[0] for names in clocks.values()]):
            wrong += found
    assert not wrong
    assert len(clocks) > 60, "the tz database looks too small"
