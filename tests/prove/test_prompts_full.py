"""Ten years of two hundred people: every prompt they are asked keeps the rule that chooses it."""

import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import pytest

from bot.library import content_folder, load
from tests.rehearsals import examined

PEOPLE, DAYS = 200, 3653


def _life(seed: int, days: int) -> tuple[list[str], dict[str, int]]:
    examiner = examined(load(content_folder()), seed, days)
    return examiner.wrong, examiner.counts


@pytest.mark.timeout(7200)
def test_ten_years_of_two_hundred_people() -> None:
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for found, counted in pool.map(partial(_life, days=DAYS), range(PEOPLE)):
            wrong += found
            counts += Counter(counted)
    print(dict(counts))  # noqa: T201
    assert not wrong, wrong[:20]
    assert min(counts[each] for each in ("fresh", "old", "open", "callback", "windows")) > 1000
