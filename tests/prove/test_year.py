"""A year of a thousand people with the real services: each local date is asked, paused, slowed or missed, exactly once.

A few people do the same for some weeks in tests/services/test_lives.py, with a new seed for each run.
"""

import asyncio
import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from tests.accounts import Account
from tests.simulation import live_and_account

PEOPLE, DAYS, SEED = 1000, 365, 20260105


def _a_part(task: tuple[str, int, int]) -> Account:
    url, seed, people = task
    return asyncio.run(live_and_account(url, seed, people, timedelta(days=DAYS)))


@pytest.mark.timeout(3600)
def test_year_of_a_thousand_people(tmp_path: Path) -> None:
    from tests.databases import SqliteTemplate

    processes = os.cpu_count() or 1
    template = SqliteTemplate.make(tmp_path)
    tasks = []
    for number in range(processes):
        folder = tmp_path / str(number)
        folder.mkdir()
        tasks.append((template.copy(folder), SEED + number, PEOPLE // processes))
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    with ProcessPoolExecutor(processes) as pool:
        for found in pool.map(_a_part, tasks):
            counts += found.counts
            wrong += found.wrong
    print(f"seeds {SEED} to {SEED + processes - 1}: {dict(counts)}")  # noqa: T201
    assert not wrong, wrong[:20]
    assert min(counts[each] for each in ("asked", "missed", "paused", "slowed", "off", "away")) > 100
    said = ("Asked resumed", "Asked slowed", "Asked last", "Asked still", "Asked again", "OfferHour", "OfferDeeper")
    assert min(counts[each] for each in said) > 10
