"""The rules of sharing: cool-off, times on offer, typed times, rewording, cues."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.content import Cue, Wish
from bot.domain.sharing import (
    COOL_OFF,
    COOL_OFF_DEEP,
    DEEP,
    FURTHEST,
    Move,
    Reflection,
    State,
    When,
    after_rewording,
    cool_off,
    cue_of,
    days_on_offer,
    fits,
    hours_on_offer,
    minutes_of_cool_off,
    moment_to_announce,
    moved,
    offered,
    time_of,
    tomorrow_again,
)
from bot.domain.times import APART, local

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)  # a Monday
BERLIN = "Europe/Berlin"


def test_deep_lines_cool_off_longer() -> None:
    assert [cool_off(depth) for depth in (None, 1, 2, 3, 4, 5)] == [COOL_OFF] * 4 + [COOL_OFF_DEEP] * 2
    assert [minutes_of_cool_off(depth) for depth in (None, DEEP)] == [10, 60]
    assert all(type(minutes_of_cool_off(depth)) is int for depth in (None, DEEP)), "screens show it"


@pytest.mark.parametrize(
    ("state", "move", "then"),
    [
        (State.DRAFTED, Move.SCHEDULE, State.SCHEDULED),
        (State.DRAFTED, Move.ANNOUNCE, None),
        (State.DRAFTED, Move.OPEN, None),
        (State.DRAFTED, Move.LAPSE, State.LAPSED),
        (State.SCHEDULED, Move.OPEN, None),
        (State.SCHEDULED, Move.WITHDRAW, State.WITHDRAWN),
        (State.ANNOUNCED, Move.SCHEDULE, None),
        (State.ANNOUNCED, Move.OPEN, State.OPENED),
        (State.ANNOUNCED, Move.WITHDRAW, State.WITHDRAWN),
        (State.ANNOUNCED, Move.LAPSE, None),
        (State.OPENED, Move.WITHDRAW, None),
        (State.OPENED, Move.CANCEL, None),
        (State.OPENED, Move.ANSWER, State.ANSWERED),
        (State.ANSWERED, Move.ANSWER, None),
        *((State.WITHDRAWN, move, None) for move in Move),
        *((State.CANCELLED, move, None) for move in Move),
    ],
)
def test_nothing_goes_out_unconfirmed_and_nothing_opened_is_taken_back(
    state: State, move: Move, then: State | None
) -> None:
    assert moved(state, move) is then


@pytest.mark.parametrize("depth", [None, 1, 3, 4, 5])
@pytest.mark.parametrize("hour", range(24))
def test_offered_times_respect_the_cool_off(depth: int | None, hour: int) -> None:
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


@given(
    st.integers(0, 7 * 24 * 60),
    st.sampled_from([None, 1, DEEP]),
    st.one_of(st.none(), st.integers(0, 7 * 24 * 4).map(lambda quarters: timedelta(minutes=15) * quarters)),
)
def test_offered_times_come_in_order_and_apart(minutes: int, depth: int | None, ahead: timedelta | None) -> None:
    now = NOW + timedelta(minutes=minutes)
    choices = offered(now, BERLIN, depth, NOW + ahead if ahead is not None else None)
    moments = list(choices.values())
    assert moments == sorted(moments)
    assert all(later - sooner >= APART for sooner, later in pairwise(moments))


@pytest.mark.parametrize(
    ("now", "depth", "ritual", "expected"),
    [
        ("20:00", None, None, ["quarter 20:15", "tonight 20:30", "morning 08:00"]),
        ("20:18", None, None, ["quarter 20:33", "tonight 22:00", "morning 08:00"]),
        ("21:50", None, None, ["quarter 22:05", "morning 08:00"]),
        ("19:25", DEEP, None, ["hour 20:25", "tonight 22:00", "morning 08:00"]),
        ("18:00", None, "19:00", ["quarter 18:15", "ritual 19:00", "tonight 20:30", "morning 08:00"]),
        ("18:00", None, "20:30", ["quarter 18:15", "ritual 20:30", "morning 08:00"]),
        ("18:40", None, "19:00", ["ritual 19:00", "tonight 20:30", "morning 08:00"]),
    ],
)
def test_times_that_are_nearly_the_same_are_offered_once(
    now: str, depth: int | None, ritual: str | None, expected: list[str]
) -> None:
    def today(clock: str) -> datetime:
        return NOW.astimezone(ZoneInfo(BERLIN)).replace(hour=int(clock[:2]), minute=int(clock[3:]))

    choices = offered(today(now), BERLIN, depth, today(ritual) if ritual else None)
    assert [f"{when} {local(at, BERLIN):%H:%M}" for when, at in choices.items()] == expected


def test_offer_that_was_shown_holds_until_its_time() -> None:
    """A quarter of an hour was offered at 18:30, and is tapped ten minutes later, near the Ritual at 19:00."""
    ritual = NOW.replace(hour=18)  # 19:00 in Berlin
    shown, tapped = ritual - timedelta(minutes=30), ritual - timedelta(minutes=20)
    assert When.QUARTER in offered(shown, BERLIN, None, ritual)
    assert When.QUARTER not in offered(tapped, BERLIN, None, ritual)
    assert time_of(When.QUARTER, tapped, BERLIN, None, ritual) == ritual - timedelta(minutes=5)
    assert time_of(When.HOUR, tapped, BERLIN, None, ritual) is None


def test_offer_is_worth_what_it_was_for_this_line() -> None:
    evening = NOW.replace(hour=18, minute=40)  # 19:40 in Berlin
    ritual = evening + COOL_OFF
    assert time_of(When.RITUAL, evening, BERLIN, None, ritual) == ritual
    assert time_of(When.RITUAL, evening, BERLIN, DEEP, ritual) is None
    assert time_of(When.RITUAL, evening, BERLIN, None) is None
    assert time_of(When.QUARTER, evening, BERLIN, DEEP) is None
    assert time_of(When.HOUR, evening, BERLIN, DEEP) == evening + COOL_OFF_DEEP
    tonight = [time_of(When.TONIGHT, evening, BERLIN, depth) for depth in (None, DEEP)]
    assert tonight == [NOW.replace(hour=19, minute=30), NOW.replace(hour=21)]


def _at(clock: str) -> datetime:
    """Return this time of Monday, 1 March, in Berlin."""
    return datetime.combine(date(2027, 3, 1), time.fromisoformat(clock), ZoneInfo(BERLIN))


@pytest.mark.parametrize(
    ("now", "depth", "first_day", "first_hour"),
    [
        ("00:30", None, 1, 6),
        ("10:00", None, 1, 11),
        ("10:50", None, 1, 11),
        ("10:51", None, 1, 12),
        ("10:00", DEEP, 1, 11),
        ("10:01", DEEP, 1, 12),
        ("22:30", None, 1, 23),
        ("22:30", DEEP, 2, 6),
        ("22:55", None, 2, 6),
    ],
)
def test_days_and_hours_on_offer(now: str, depth: int | None, first_day: int, first_hour: int) -> None:
    days = days_on_offer(_at(now), BERLIN, depth)
    assert [day.day for day in days] == list(range(first_day, first_day + 7))
    hours = [hours_on_offer(day, _at(now), BERLIN, depth) for day in days]
    assert [local(each, BERLIN).hour for each in hours[0]] == list(range(first_hour, 24))
    assert all([local(each, BERLIN).hour for each in day] == list(range(6, 24)) for day in hours[1:])


def test_line_can_wait_for_a_year() -> None:
    assert fits(NOW + FURTHEST, NOW, None)
    assert not fits(NOW + FURTHEST + timedelta(seconds=1), NOW, None)
    assert [fits(NOW + COOL_OFF, NOW, depth) for depth in (None, DEEP)] == [True, False]
    assert not fits(NOW + COOL_OFF - timedelta(seconds=1), NOW, None)


def test_time_that_has_come_is_due() -> None:
    coming = Reflection(1, 1, 2, 3, due_at=NOW)
    second = timedelta(seconds=1)
    assert [coming.is_due(now) for now in (NOW - second, NOW, NOW + second)] == [False, True, True]
    assert not Reflection(1, 1, 2, 3).is_due(NOW)


def test_new_words_cool_off() -> None:
    assert after_rewording(NOW + timedelta(minutes=3), None, NOW) == NOW + COOL_OFF
    assert after_rewording(NOW + timedelta(minutes=3), DEEP, NOW) == NOW + COOL_OFF_DEEP
    assert after_rewording(NOW + timedelta(days=3), DEEP, NOW) == NOW + timedelta(days=3)


def test_card_knows_its_time() -> None:
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
    on_the_minute = Reflection(1, 1, 2, 3, due_at=minute)
    assert [on_the_minute.is_set_for(known) for known in (NOW, minute)] == [False, True]


def test_tomorrow_is_after_a_nights_sleep() -> None:
    assert local(tomorrow_again(NOW, BERLIN), BERLIN).date() == date(2027, 3, 2)
    assert tomorrow_again(NOW.replace(hour=0, minute=30), BERLIN) == NOW.replace(hour=7)
    tomorrow = NOW + timedelta(days=1)
    assert tomorrow_again(NOW.replace(second=30, microsecond=500), BERLIN) == tomorrow, "at the minute that is shown"
    assert tomorrow_again(NOW.replace(hour=3), BERLIN) == tomorrow.replace(hour=3), "the night has ended at four"


CUES = [Cue(f"{wish}.{n}", wish, f"{n}.") for wish in Wish for n in range(12)]


def _wished(line_id: int, wish: Wish | None = Wish.LISTEN, **facts: Any) -> Reflection:
    return replace(Reflection(1, 2, 3, 4, line_id=line_id, wish=wish), **facts)


def test_wish_alone_chooses_the_cue() -> None:
    for line_id in range(40):
        for wish in Wish:
            chosen = {
                cue_of(_wished(line_id, wish, id=reflection_id, depth=depth), CUES).id
                for depth in (None, 1, 2, 3, 4, 5)
                for reflection_id in (1, 77)
            }
            assert len(chosen) == 1
            assert chosen.pop().startswith(f"{wish}.")


def test_cues_are_spread_evenly() -> None:
    counts = Counter(cue_of(_wished(line_id), CUES).id for line_id in range(1200))
    assert len(counts) == 12
    assert max(counts.values()) < 3 * min(counts.values())


def test_previewed_cue_stays() -> None:
    shown = [cue_of(_wished(line_id, cue_id="listen.3"), CUES).id for line_id in range(20)]
    assert set(shown) == {"listen.3"}
    assert cue_of(_wished(1, Wish.ADVICE, cue_id="listen.3"), CUES).wish is Wish.ADVICE
    assert cue_of(_wished(1, cue_id="listen.gone"), CUES) == cue_of(_wished(1), CUES)


def test_added_cue_moves_few_lines() -> None:
    more = [*CUES, Cue("listen.new", Wish.LISTEN, "New.")]
    moved = {cue_of(_wished(n), more).id for n in range(200) if cue_of(_wished(n), more) != cue_of(_wished(n), CUES)}
    assert moved == {"listen.new"}


def test_default_wish_is_to_listen() -> None:
    assert cue_of(_wished(1, None), CUES).wish is Wish.LISTEN
    with pytest.raises(LookupError):
        cue_of(_wished(1, Wish.ADVICE), [cue for cue in CUES if cue.wish is not Wish.ADVICE])


def _announced(minutes: int, state: State = State.ANNOUNCED, *, ritual: bool = False) -> Reflection:
    """Announced this many minutes before NOW."""
    return replace(_wished(1), state=state, announced_at=NOW - timedelta(minutes=minutes), ritual=ritual)


@pytest.mark.parametrize(
    ("first", "coming", "before", "minutes"),
    [
        (0, (), (), 0),
        (0, (5, 14), (), 14),
        (0, (5, 15, 16), (), 15),
        (-10, (5, 6), (), 5),  # it has waited for ten minutes already
        (-20, (5,), (), 0),
        (0, (), (_announced(15),), 0),
        (0, (), (_announced(4),), 11),
        (0, (14,), (_announced(4),), 14),
        (0, (5,), (_announced(4),), 11),
        (0, (), (_announced(4, State.OPENED),), 11),
        (0, (), (_announced(4, ritual=True),), 0),
        (0, (), (_announced(4, State.WITHDRAWN),), 56),
        (0, (), (_announced(4, State.WITHDRAWN, ritual=True),), 56),
        (0, (), (_announced(59, State.WITHDRAWN), _announced(4)), 11),
        (0, (), (_announced(60, State.WITHDRAWN),), 0),
    ],
)
def test_announcement_time(first: int, coming: tuple[int, ...], before: tuple[Reflection, ...], minutes: int) -> None:
    moments = [NOW + timedelta(minutes=each) for each in coming]
    at = moment_to_announce(NOW, NOW + timedelta(minutes=first), moments, before)
    assert at == NOW + timedelta(minutes=minutes)
