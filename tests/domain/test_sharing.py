"""The rules of sharing: cool-off, times on offer, typed times, rewording, cues."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from bot.domain.content import Cue, Wish
from bot.domain.sharing import (
    COOL_OFF,
    COOL_OFF_DEEP,
    DEEP,
    Reflection,
    When,
    after_rewording,
    choose_cue,
    cool_off,
    days_on_offer,
    fits,
    held_until,
    hours_on_offer,
    offered,
    tomorrow_again,
)
from bot.domain.times import QuietHours, local

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)  # a Monday
BERLIN = "Europe/Berlin"


def test_deep_lines_cool_off_longer() -> None:
    assert [cool_off(depth) for depth in (None, 1, 2, 3, 4, 5)] == [COOL_OFF] * 4 + [COOL_OFF_DEEP] * 2


@pytest.mark.parametrize("depth", [None, 1, 3, 4, 5])
@pytest.mark.parametrize("hour", range(24))
def test_nothing_on_offer_comes_before_the_cool_off(depth: int | None, hour: int) -> None:
    now = NOW.replace(hour=hour, minute=59)
    ritual = now + timedelta(minutes=30)
    choices = offered(now, BERLIN, depth, ritual)
    assert all(moment - now >= cool_off(depth) for moment in choices.values())
    assert (When.QUARTER in choices) == (cool_off(depth) == COOL_OFF)
    assert (When.RITUAL in choices) == (cool_off(depth) == COOL_OFF)
    assert When.MORNING in choices
    for day in days_on_offer(now, BERLIN, depth):
        hours = hours_on_offer(day, now, BERLIN, depth)
        assert hours
        assert all(fits(moment, now, depth) and local(moment, BERLIN).date() == day for moment in hours)


def test_new_words_cool_off() -> None:
    assert after_rewording(NOW + timedelta(minutes=3), None, NOW) == NOW + COOL_OFF
    assert after_rewording(NOW + timedelta(minutes=3), DEEP, NOW) == NOW + COOL_OFF_DEEP
    assert after_rewording(NOW + timedelta(days=3), DEEP, NOW) == NOW + timedelta(days=3)


def test_a_card_knows_for_when_it_was_set() -> None:
    due = NOW + timedelta(seconds=70)
    draft, coming = Reflection(1, 1, 2, 3), Reflection(1, 1, 2, 3, due_at=due)
    assert [draft.is_set_for(known) for known in (None, NOW)] == [True, False]
    minute = NOW + timedelta(minutes=1)
    assert [coming.is_set_for(known) for known in (None, NOW, minute, minute + timedelta(minutes=1))] == [
        False,
        False,
        True,
        False,
    ]


def test_held_while_away_or_in_quiet_hours() -> None:
    night = QuietHours(time(22), time(7))
    late = datetime(2027, 3, 27, 23, 0, tzinfo=UTC)  # midnight in Berlin, before the clocks change
    assert held_until(NOW, BERLIN, away=False, quiet=night) == NOW
    assert held_until(NOW, BERLIN, away=True, quiet=None) > NOW
    assert local(held_until(late, BERLIN, away=False, quiet=night), BERLIN).hour == 7


def test_tomorrow_is_after_a_nights_sleep() -> None:
    assert local(tomorrow_again(NOW, BERLIN), BERLIN).date() == date(2027, 3, 2)
    assert tomorrow_again(NOW.replace(hour=0, minute=30), BERLIN) == NOW.replace(hour=7)


def test_a_cue_fits_and_is_never_the_last_one_again() -> None:
    wide = [Cue(f"wide {n}", Wish.LISTEN, 1, 5, "…") for n in range(2)]
    narrow = [Cue("light", Wish.LISTEN, 1, 2, "…"), Cue("advice", Wish.ADVICE, 1, 5, "…")]
    last = None
    for seed in range(60):
        cue = choose_cue(wide + narrow, Wish.LISTEN, 4, last, seed)
        assert cue in wide
        assert cue.id != last
        last = cue.id
    unknown = {choose_cue(wide + narrow, Wish.LISTEN, None, None, seed).id for seed in range(9)}
    assert unknown == {"wide 0", "wide 1"}
    with pytest.raises(LookupError):
        choose_cue(narrow, Wish.ASK_LATER, 1, None, 0)
