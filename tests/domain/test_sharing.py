"""The rules of sharing: cool-off, times on offer, typed times, rewording, cues."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
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
    Reflection,
    State,
    When,
    after_rewording,
    cool_off,
    cue_of,
    days_on_offer,
    fits,
    hours_on_offer,
    moment_to_announce,
    offered,
    time_of,
    tomorrow_again,
)
from bot.domain.times import APART, local

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)  # a Monday
BERLIN = "Europe/Berlin"


def test_deep_lines_cool_off_longer() -> None:
    assert [cool_off(depth) for depth in (None, 1, 2, 3, 4, 5)] == [COOL_OFF] * 4 + [COOL_OFF_DEEP] * 2


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


def test_tomorrow_is_after_a_nights_sleep() -> None:
    assert local(tomorrow_again(NOW, BERLIN), BERLIN).date() == date(2027, 3, 2)
    assert tomorrow_again(NOW.replace(hour=0, minute=30), BERLIN) == NOW.replace(hour=7)


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
