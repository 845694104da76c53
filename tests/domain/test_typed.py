"""What people type as a line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.characters import is_boundary
from bot.domain.typed import LINE_LIMIT, first_300, fold_line, plain, visible
from tests.domain.test_characters import ONE


@pytest.mark.parametrize(
    "line_break", ["\n", "\r\n", "\r", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029", " \n\n\t\n "]
)
def test_line_breaks_fold_into_one_space(line_break: str) -> None:
    assert fold_line(f"{line_break}wound up{line_break}and tired {line_break}") == "wound up and tired"


def test_typed_text_stays_unchanged() -> None:
    for line in (
        "two  spaces, e\u0301 and é",
        "👩\u200d❤️\u200d👨 🏳️\u200d🌈",
        "\u200fשלום\u200e, \u2067hi\u2069",
        "می\u200cخواهم",
        "ﬁne",
        "a\u00a0b",
    ):
        assert fold_line(line) == line


def test_control_characters_and_lone_surrogates_go() -> None:
    assert fold_line("a\tb\x00c\x1b[0m\x7f\ud83d") == "a bc[0m"
    fold_line("\ud83d x").encode()
    assert fold_line("a\x00b") == "ab"


@pytest.mark.parametrize(
    "typed", ["", " ", "\n\n", "\u200b\u200d", "\u2800", "\u3164", "\ufe0f", "\x00", "\ud83d", "\u0301"]
)
def test_invisible_text_is_no_line(typed: str) -> None:
    assert fold_line(typed) == ""


@given(st.text(st.characters()))
def test_folding_a_folded_line_changes_nothing(text: str) -> None:
    line = fold_line(text)
    assert line.splitlines() in ([], [line])
    assert line == line.strip()
    assert fold_line(line) == line
    line.encode()
    assert line == "" or all(character in line for character in text if character.isalnum())


def test_only_what_is_seen_is_compared() -> None:
    assert visible("\u2067K7\ud83dQX\u200b\u2060  \n9\ufe0f\u20e3") == "K7QX 9"
    assert plain(' (Xmas), [٣] 👍 "OK"!? ') == 'xmas , 3 "ok'


@pytest.mark.parametrize("whole", ONE)
def test_visible_character_is_not_cut(whole: str) -> None:
    for fits in range(len(whole)):
        start = "x" * (LINE_LIMIT - fits)
        assert first_300(start + whole + "y") == start
    start = "x" * (LINE_LIMIT - len(whole))
    assert first_300(start + whole + "y") == start + whole


def test_flags_are_cut_between_not_within() -> None:
    assert first_300("x" + "🇩🇪🇫🇷" * 100) == "x" + "🇩🇪🇫🇷" * 74 + "🇩🇪"
    assert first_300("🇩🇪" * 151) == "🇩🇪" * 150


def test_one_endless_character_is_cut_anyway() -> None:
    assert first_300("e" + "\u0301" * 400) == "e" + "\u0301" * 299


def test_first_300_end_without_a_space() -> None:
    assert first_300("x" * 299 + " and more") == "x" * 299
    assert first_300("x" * 298 + " and more") == "x" * 298 + " a"


@given(st.lists(st.sampled_from([*ONE, "a", "ß", "字", " ", "."]), max_size=200))
def test_first_300_of_any_text(characters: list[str]) -> None:
    text = "x" + "".join(characters)
    cut = first_300(text)
    assert text.startswith(cut)
    assert len(cut) <= LINE_LIMIT
    if len(text) <= LINE_LIMIT:
        assert cut == text
    else:
        # No longer piece of whole characters would have fit.
        assert len(cut) > LINE_LIMIT - 20 or text[len(cut)] == " "
        assert is_boundary(text, len(cut))
