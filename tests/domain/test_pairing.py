"""Codes, tries and names."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.model import Pair
from bot.domain.pairing import (
    CODE_BITS,
    LOCKED_FOR,
    NAME_LIMIT,
    TRIES,
    TRIES_WHEN_CROWDED,
    clean_name,
    code_from,
    is_locked_out,
)

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_each_of_two_has_the_other() -> None:
    pair = Pair(1, a=2, b=3, since=NOON)
    assert [pair.partner_of(2), pair.partner_of(3)] == [3, 2]
    with pytest.raises(LookupError):
        pair.partner_of(4)


def test_each_number_has_its_own_code() -> None:
    assert CODE_BITS >= 40
    assert code_from(0) == "00000000"
    assert code_from(2**CODE_BITS - 1) == "ZZZZZZZZ"
    assert len({code_from(1 << bit) for bit in range(CODE_BITS)}) == CODE_BITS


def tries(count: int, apart: timedelta, last: datetime) -> list[datetime]:
    return [last - apart * n for n in range(count)][::-1]


def test_tenth_wrong_try_locks() -> None:
    for count in range(TRIES):
        assert not is_locked_out(tries(count, timedelta(seconds=1), NOON), NOON, crowded=False)
    ten = tries(TRIES, timedelta(seconds=1), NOON)
    assert is_locked_out(ten, NOON, crowded=False)
    assert is_locked_out(ten, NOON + LOCKED_FOR - timedelta(seconds=1), crowded=False)
    assert not is_locked_out(ten, NOON + LOCKED_FOR, crowded=False)


def test_ten_slow_tries_do_not_lock() -> None:
    assert not is_locked_out(tries(TRIES, LOCKED_FOR / (TRIES - 1), NOON), NOON, crowded=False)


def test_many_guessers_leave_each_fewer_tries() -> None:
    three = tries(TRIES_WHEN_CROWDED, timedelta(minutes=1), NOON)
    assert is_locked_out(three, NOON, crowded=True)
    assert not is_locked_out(three, NOON, crowded=False)
    assert not is_locked_out(three[1:], NOON, crowded=True)


@given(st.lists(st.integers(0, 40), min_size=TRIES, max_size=60))
def test_tries_never_exceed_ten_an_hour(waits: list[int]) -> None:
    now, done = NOON, list[datetime]()
    for wait in waits:
        now += timedelta(minutes=wait)
        if not is_locked_out(done[-2 * TRIES :], now, crowded=False):
            done.append(now)
    for first, eleventh in zip(done, itertools.islice(done, TRIES, None), strict=False):
        assert eleventh - first >= LOCKED_FOR


@given(st.text(max_size=200))
def test_name_is_one_short_plain_line(text: str) -> None:
    name = clean_name(text)
    assert len(name) <= NAME_LIMIT
    assert name == name.strip() == clean_name(name)
    assert not set(name) & set("\n\r\t\u202e\u2066\u2067\u2068\u2069\u200f\u200e")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Alice", "Alice"),
        ("  Al\nice  ", "Al ice"),
        ("<b>&\"'", "<b>&\"'"),
        ("\u202eecilA", "ecilA"),
        ("דנה", "דנה"),
        ("👩‍👩‍👧‍👦" * 6, "👩‍👩‍👧‍👦" * 5),  # seven code points each: the sixth one would be cut
        ("\u200b\u2060", ""),
        ("\n\t", ""),
    ],
)
def test_names_are_tidied(text: str, name: str) -> None:
    assert clean_name(text) == name
