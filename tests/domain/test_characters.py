"""Where people see one character end and the next begin."""

from itertools import pairwise

import pytest

from bot.domain.characters import beginning, is_boundary

ONE = [  # each is one character
    "e\u0301",
    "o\u0308\u0323",
    "👨\u200d👩\u200d👧\u200d👦",
    "🏳\ufe0f\u200d🌈",
    "👍🏽",
    "❤\ufe0f",
    "☎\ufe0f",
    "1\ufe0f\u20e3",
    "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "🇩🇪",
    "क\u094dष",
    "\u0600\u0661",
    "कि",
    "ก\u0e33",
    "ຂ\u0eb3",
    "ｶ\uff9e",
    "ﾊ\uff9f",
    "a\u200c",
    "각",
    "\u1112\u1161\u11ab",
    "\u1100\u1100\u1161",
    "\u115f\u11a7\u11ff",
    "\ua960\ud7b0\ud7cb",
    "\ua97c\ud7c6\ud7fb",
    "\u1161\u1161\u11a8\u11a8",
    "\u1100가",
    "\u1100각",
    "가\u1161",
    "가\u11a8",
    "개\u1161",
    "개\u11a8",
    "꺄\u1161",
    "\ud788\u11a8",
    "각\u11a8",
    "\ud7a3\u11a8",
]
TWO = [
    "ab",
    "aX",
    "a🇩",
    "🇩a",
    "🇩X",
    "각\u1161",
    "가각",
    "한글",
    "\u11a8\u1161",
    "\u11a8\u1100",
    "\u1161\u1100",
    "\u1161가",
    "a\u1161",
    "\u1100a",
    "\u10ff\u1161",
    "\u1100\u1200",
    "가\u1200",
    "\u115f\uabff",
    "\ud7a4\u11a8",
    "\ua97d\u1161",
    "ka",
]


@pytest.mark.parametrize("character", ONE)
def test_one_character_is_in_one_piece(character: str) -> None:
    text = f"a{character}b"
    boundaries = [is_boundary(text, index) for index in range(1, len(text))]
    assert boundaries == [True, *[False] * (len(character) - 1), True]


@pytest.mark.parametrize("characters", TWO)
def test_two_characters_are_separate(characters: str) -> None:
    assert len(characters) == 2
    assert is_boundary(characters, 1)


def test_flags_are_pairs_of_letters() -> None:
    text = "🇩🇪🇫🇷🇮"
    assert [is_boundary(text, index) for index in range(1, len(text))] == [False, True, False, True]
    assert [is_boundary(f"z{text}", index) for index in range(1, 6)] == [True, False, True, False, True]


def test_text_is_cut_between_characters() -> None:
    assert beginning("Kind 👨\u200d👩\u200d👧", 8) == "Kind"
    assert beginning("Kind", 4) == "Kind"
    assert beginning("e\u0301" * 3, 5) == "e\u0301" * 2
    assert beginning("a" + "\u0301" * 9, 5) == "a" + "\u0301" * 4, "one character that is longer than the limit"
    cuts = [beginning("👍🏽👍🏽", limit) for limit in range(1, 5)]
    assert all(before == after or before < after for before, after in pairwise(cuts))
    assert cuts == ["👍", "👍🏽", "👍🏽", "👍🏽👍🏽"]
