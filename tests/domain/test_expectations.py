"""How often the worst was expected, and how often it came."""

from bot.domain.expectations import Reception, Tally, tally

FINE, LAUGHED, ADVICE = Reception.FINE, Reception.LAUGHED_AT, Reception.ADVICE


def test_only_feared_outcomes_are_compared() -> None:
    noted = [(LAUGHED, FINE)] * 4 + [(ADVICE, ADVICE)] + [(FINE, LAUGHED)] + [(FINE, FINE)] * 2
    assert tally(noted) == Tally(lines=8, feared=5, came=1)


def test_another_kind_of_bad_came_too() -> None:
    assert tally([(LAUGHED, ADVICE)]) == Tally(1, 1, 1)
