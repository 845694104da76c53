"""What a few people would be asked in two years, with the library we ship; tests/prove has two hundred in ten years."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from bot.domain.model import User
from bot.domain.prompts import FIRST
from bot.library import content_folder, load
from bot.library.rehearsal import Rehearsal
from tests.rehearsals import FIRST_DAY, examined

LIBRARY = load(content_folder())


@pytest.mark.parametrize("seed", range(5))
def test_two_years_keep_the_rule(seed: int) -> None:
    examiner = examined(LIBRARY, seed, 730)
    assert not examiner.wrong, examiner.wrong[:10]
    assert examiner.counts["fresh"] > 50


def test_first_three_are_picked_by_hand() -> None:
    person = User(7, "en", datetime.combine(FIRST_DAY, datetime.min.time(), UTC))
    put = list(Rehearsal(LIBRARY, person).days(FIRST_DAY, 3))
    assert [each.found.prompt and each.found.prompt.id for each in put] == list(FIRST)


@pytest.mark.parametrize("paired", [True, False], ids=["paired", "alone"])
def test_first_ceiling_stays_mostly_fresh(paired: bool) -> None:
    person = User(7, "en", datetime.combine(FIRST_DAY, datetime.min.time(), UTC), callbacks=True)
    put = Counter(
        "fresh" if each.is_fresh else "line" if each.found.callback_line_id else "old" if each.found.prompt else "open"
        for each in Rehearsal(LIBRARY, person, paired=paired).days(FIRST_DAY, 365)
    )
    assert put["fresh"] >= 230
    assert put["old"] <= 80, "the old ones come last"
