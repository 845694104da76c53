"""The Ritual's moments, mornings, and what meets."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.content import Format, Prompt, Role, Sensitivity, Tag
from bot.domain.ritual import (
    PROPOSAL_VALID_FOR,
    Ritual,
    Terms,
    asks_at,
    fits,
    going_out,
    is_open,
    question_for,
)
from bot.domain.times import local
from tests.clockwork import all_zones, utc

ALICE, BOB = 1, 2
MOMENTS = st.integers(0, 6 * 366 * 24 * 60).map(lambda minutes: utc("2024-01-01 00:00") + timedelta(minutes=minutes))
ZONES = st.sampled_from(all_zones())


def ritual(zone: str = "Europe/Berlin", weekday: int = 6, at: time = time(20)) -> Ritual:
    now = utc("2026-11-22 12:00")
    return Ritual(1, 1, ALICE, weekday, at, zone, now, now)


@given(ZONES, st.integers(0, 6), st.integers(6, 23), MOMENTS)
def test_next_moment_is_on_its_day(zone: str, weekday: int, hour: int, moment: datetime) -> None:
    after = ritual(zone, weekday, time(hour)).after(moment)
    assert moment < after <= moment + timedelta(days=14, hours=2)  # a date that never existed takes its moment with it
    assert local(after, zone).weekday() == weekday


def test_moment_keeps_its_local_hour() -> None:
    sunday = ritual().after(utc("2027-03-20 12:00"))
    assert [local(sunday, "Europe/Berlin").hour, sunday.hour] == [20, 19]
    assert ritual().after(sunday) == utc("2027-03-28 18:00")  # summer time began that morning


@given(ZONES, MOMENTS)
def test_everybody_is_asked_some_hours_before(zone: str, moment: datetime) -> None:
    asked = asks_at(moment, zone)
    assert timedelta(hours=2) <= moment - asked <= timedelta(hours=26)
    assert is_open(asked, moment, zone)
    assert not is_open(asked - timedelta(seconds=1), moment, zone)
    assert not is_open(moment, moment, zone)


@pytest.mark.parametrize(
    ("moment", "asked"),
    [
        ("2027-01-10 20:00", "2027-01-10 08:00"),
        ("2027-01-10 10:00", "2027-01-10 08:00"),
        ("2027-01-10 09:59", "2027-01-09 20:30"),
        ("2027-01-10 06:00", "2027-01-09 20:30"),
        ("2027-01-10 00:30", "2027-01-09 20:30"),
    ],
)
def test_early_moment_asks_the_evening_before(moment: str, asked: str) -> None:
    assert asks_at(utc(moment), "UTC") == utc(asked)


def test_moment_after_a_date_that_never_was_asks_half_a_day_before() -> None:
    """In Apia there was no 30 December 2011."""
    moment = utc("2011-12-30 16:00")  # 06:00 there, on the 31st
    assert local(moment, "Pacific/Apia").hour == 6
    assert asks_at(moment, "Pacific/Apia") == moment - timedelta(hours=12)


def test_ritual_has_a_cool_off() -> None:
    now = utc("2027-01-10 12:00")
    assert fits(now, now + timedelta(minutes=10), None)
    assert not fits(now, now + timedelta(minutes=9), 3)
    assert fits(now, now + timedelta(hours=1), 5)
    assert not fits(now, now + timedelta(minutes=59), 4)


def test_only_proposals_expire() -> None:
    proposed = ritual()
    assert proposed.is_current(proposed.proposed_at + PROPOSAL_VALID_FOR - timedelta(seconds=1))
    assert not proposed.is_current(proposed.proposed_at + PROPOSAL_VALID_FOR)
    agreed = Ritual(1, 1, ALICE, 6, time(20), "UTC", proposed.proposed_at, proposed.next_at, agreed=True)
    assert agreed.is_current(proposed.proposed_at + timedelta(days=1000))


EITHER, MET = Terms.EITHER, Terms.MET


@pytest.mark.parametrize(
    ("put_in", "shared", "out"),
    [
        ({}, set(), set()),
        ({ALICE: EITHER}, set(), {ALICE}),
        ({ALICE: MET}, set(), set()),
        ({ALICE: MET, BOB: MET}, set(), {ALICE, BOB}),
        ({ALICE: MET, BOB: EITHER}, set(), {ALICE, BOB}),
        ({ALICE: EITHER, BOB: EITHER}, set(), {ALICE, BOB}),
        ({ALICE: MET}, {BOB}, {ALICE}),
        ({ALICE: MET}, {ALICE}, set()),  # entries of the same person don't meet
    ],
)
def test_matching_entries(put_in: dict[int, Terms], shared: set[int], out: set[int]) -> None:
    assert going_out(put_in, shared) == out


@given(st.dictionaries(st.sampled_from([ALICE, BOB]), st.sampled_from(Terms)))
def test_unsent_entry_stays_invisible(put_in: dict[int, Terms]) -> None:
    """What Bob can see at the moment is the same if Alice put in something that stays private, or nothing."""
    out = going_out(put_in, ())
    if ALICE in put_in and ALICE not in out:
        without = {user: terms for user, terms in put_in.items() if user != ALICE}
        assert going_out(without, ()) == out


def prompt(number: int = 1, **facts: Any) -> Prompt:
    usual = Prompt(f"home.{number}", "home", 1, "What?", Role.TELLER, Format.ONE_FACT, ("x", "y"))
    return replace(usual, **facts)


@pytest.mark.parametrize("zone", ["Europe/Lisbon", "Australia/Lord_Howe", "America/Los_Angeles"])
@pytest.mark.parametrize("at", [time(6), time(23)])
def test_question_for_both_repeats_last(zone: str, at: time) -> None:
    """Also over the changes of the clock, after which a moment can be on another date in UTC."""
    library = [prompt(number) for number in range(60)]
    agreed = ritual(zone, at=at)
    asked = []
    for _ in range(120):
        agreed = replace(agreed, next_at=agreed.after(agreed.next_at))
        question = question_for(library, agreed)
        assert question
        assert question_for(library[::-1], agreed) == question
        asked.append(question.id)
    assert len(set(asked[:60])) == 60
    assert asked[:60] == asked[60:]


def test_pairs_are_asked_in_different_orders() -> None:
    library = [prompt(number) for number in range(60)]
    asked = {question_for(library, replace(ritual(), id=number)) for number in range(20)}
    assert len(asked) > 5


@pytest.mark.parametrize(
    "facts",
    [
        {"depth": 2},
        {"sensitivities": frozenset({Sensitivity.MONEY})},
        {"tags": frozenset({Tag.FREE_DAY})},
        {"role": Role.RECEIVER},
        {"theme": "work"},
    ],
)
def test_question_for_both_suits_anybody(facts: dict[str, Any]) -> None:
    assert question_for([prompt(**facts)], ritual()) is None
    assert question_for([prompt(2), prompt(**facts)], ritual()) == prompt(2)
    assert question_for([prompt(role=Role.EITHER)], ritual()) == prompt(role=Role.EITHER)
