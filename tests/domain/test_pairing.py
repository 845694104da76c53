"""Codes as people type them, links, tries and names."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.pairing import (
    CODE_BITS,
    DOOR_SHUT,
    NAME_LIMIT,
    TRIES,
    TRIES_WHEN_CROWDED,
    Secret,
    clean_name,
    code_from,
    door_is_shut,
    is_surely_code,
    read_code,
    read_link,
    read_secret,
    read_typed,
    shown_code,
)

NUMBERS = st.integers(0, 2**CODE_BITS - 1)
LOOKALIKES = {"0": "0Oo", "1": "1IiLl"}
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@st.composite
def as_typed(draw: st.DrawFn, code: str) -> str:
    """A code as somebody writes it down: any case, with look-alikes, cut into groups by whatever stands for a dash."""
    parts = []
    for symbol in code:
        parts.append(draw(st.sampled_from(LOOKALIKES.get(symbol, symbol + symbol.lower()))))
        parts.append(draw(st.sampled_from(["", "", "", "-", " ", " - ", "–", "\u2011"])))
    return draw(st.sampled_from(["", " ", "\n"])) + "".join(parts)


def test_a_code_has_forty_bits_and_each_number_its_own() -> None:
    assert CODE_BITS >= 40
    assert code_from(0) == "00000000"
    assert code_from(2**CODE_BITS - 1) == "ZZZZZZZZ"
    assert len({code_from(1 << bit) for bit in range(CODE_BITS)}) == CODE_BITS


@given(NUMBERS, st.data())
def test_a_code_is_read_however_it_is_written(number: int, data: st.DataObject) -> None:
    code = code_from(number)
    assert read_code(shown_code(code)) == code
    assert read_code(data.draw(as_typed(code))) == code


@given(NUMBERS, NUMBERS)
def test_two_codes_are_read_apart(one: int, other: int) -> None:
    assert (read_code(code_from(one)) == read_code(code_from(other))) is (one == other)


@given(st.text(max_size=40))
def test_whatever_is_typed_is_a_code_of_the_alphabet_or_none(text: str) -> None:
    code = read_code(text)
    assert code is None or (len(code) == 8 and set(code) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))


@pytest.mark.parametrize("text", ["", "1234567", "123456789", "UUUUUUUU", "K7QX-9M2", "K7QX_9M2P", "é" * 8, "٣" * 8])
def test_what_is_no_code_is_none(text: str) -> None:
    assert read_code(text) is None
    assert read_typed(text) is None


LINK = "C4ycdLFXpUJvZssC2A04Y_"


@pytest.mark.parametrize("around", ['"{}"', "“{}”", "„{}“", "{}.", "({})", "«{}»", " {}!", "'{}',"])
def test_what_stands_around_a_code_in_a_sentence_does_not_matter(around: str) -> None:
    assert read_secret(around.format("K7QX-9M2P")) == read_typed(around.format("K7QX-9M2P")) == Secret(code="K7QX9M2P")
    assert is_surely_code(around.format("K7QX-9M2P"))
    assert read_secret(around.format(LINK)) == Secret(link=LINK)


@pytest.mark.parametrize(
    "text",
    [LINK, f"https://t.me/ajar_bot?start={LINK}", f" http://telegram.me/a?start={LINK}\n", f"t.me/b?start={LINK}"],
)
def test_a_link_is_read_whole_or_by_its_payload(text: str) -> None:
    assert read_secret(text) == Secret(link=LINK)


@pytest.mark.parametrize("payload", [LINK[:-1], LINK + "A", LINK[:-1] + "+", f"https://evil.example/?start={LINK}", ""])
def test_another_link_is_none(payload: str) -> None:
    assert read_link(payload) is None
    assert read_secret(payload) is None


@pytest.mark.parametrize("text", ["bed at 3 am", "we had it", "a b c d e f 1 2"])
def test_a_line_of_eight_letters_is_not_taken_for_a_code(text: str) -> None:
    assert read_typed(text) is None


@pytest.mark.parametrize(
    ("text", "surely"),
    [("K7QX-9M2P", True), ("k7qx 9m2p", True), ("2019-2023", False), ("well-done", False), ("K7QX9M2P", False)],
)
def test_only_what_looks_just_like_a_code_is_surely_meant_as_one(text: str, *, surely: bool) -> None:
    assert is_surely_code(text) is surely


def tries(count: int, apart: timedelta, last: datetime) -> list[datetime]:
    return [last - apart * n for n in range(count)][::-1]


def test_the_tenth_wrong_try_shuts_the_door_for_an_hour() -> None:
    for count in range(TRIES):
        assert not door_is_shut(tries(count, timedelta(seconds=1), NOON), NOON, crowded=False)
    ten = tries(TRIES, timedelta(seconds=1), NOON)
    assert door_is_shut(ten, NOON, crowded=False)
    assert door_is_shut(ten, NOON + DOOR_SHUT - timedelta(seconds=1), crowded=False)
    assert not door_is_shut(ten, NOON + DOOR_SHUT, crowded=False)


def test_ten_in_more_than_an_hour_shut_nothing() -> None:
    assert not door_is_shut(tries(TRIES, DOOR_SHUT / (TRIES - 1), NOON), NOON, crowded=False)


def test_when_many_guess_each_has_fewer_tries() -> None:
    three = tries(TRIES_WHEN_CROWDED, timedelta(minutes=1), NOON)
    assert door_is_shut(three, NOON, crowded=True)
    assert not door_is_shut(three, NOON, crowded=False)
    assert not door_is_shut(three[1:], NOON, crowded=True)


@given(st.lists(st.integers(0, 40), min_size=TRIES, max_size=60))
def test_who_only_tries_while_the_door_is_open_never_has_more_than_ten_in_an_hour(waits: list[int]) -> None:
    now, done = NOON, list[datetime]()
    for wait in waits:
        now += timedelta(minutes=wait)
        if not door_is_shut(done[-2 * TRIES :], now, crowded=False):
            done.append(now)
    for first, eleventh in zip(done, itertools.islice(done, TRIES, None), strict=False):
        assert eleventh - first >= DOOR_SHUT


@given(st.text(max_size=200))
def test_a_name_is_one_short_line_that_turns_nothing_around(text: str) -> None:
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
        ("👩‍👩‍👧‍👦" * 6, "👩‍👩‍👧‍👦" * 5),  # seven code points each: the sixth would be cut
        ("\u200b\u2060", ""),
        ("\n\t", ""),
    ],
)
def test_names(text: str, name: str) -> None:
    assert clean_name(text) == name
