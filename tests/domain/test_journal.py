"""The journal's filters: a word, a theme, a search, or today's date a year ago."""

from datetime import date

import pytest

from bot.domain.feelings import Feeling
from bot.domain.journal import By, Filter, searching
from bot.domain.times import year_before


@pytest.mark.parametrize(
    ("sought", "text"),
    [
        ("car", "I sat in the CAR."),
        ("CAFE", "Wir saßen im Café."),
        ("café", "nur im cafe gewesen"),
        ("strasse", "Die Straße war leer."),
        ("dont", "I don’t know"),
        ("don't", "I don’t know"),
        ("tired car", "In the car, tired."),
        ("Istanbul", "İSTANBUL, once"),
        ("ñ", "mañana"),
        ("עלום", "שָׁלוֹם ועלום"),
        ("ruh", "Nach der Unruhe"),
    ],
)
def test_case_and_accents_make_no_difference(sought: str, text: str) -> None:
    assert searching(sought)(text) is (sought != "dont")


def test_every_word_must_be_there() -> None:
    assert not searching("car rain")("In the car.")
    assert not searching("  ")("In the car.")


@pytest.mark.parametrize(
    "chosen",
    [
        Filter(By.WORD, feeling=Feeling(own='wet "wool" \'ש')),
        Filter(By.WORD, feeling=Feeling(shelf="heavy")),
        Filter(By.THEME, theme="growing-up"),
        Filter(By.SEARCH),
        Filter(By.YEAR_AGO),
    ],
)
def test_filter_comes_back(chosen: Filter) -> None:
    assert Filter.unpack(chosen.pack()) == chosen


def test_a_year_before_a_leap_day() -> None:
    assert year_before(date(2028, 2, 29)) == date(2027, 2, 28)
    assert year_before(date(2026, 11, 30)) == date(2025, 11, 30)
