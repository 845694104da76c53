"""The Shelf: what we ship, which mistakes are reported, and which board comes first."""

from collections import Counter

import pytest

from bot.domain.content import LONGEST_SHELF_LINE, ShelfWord
from bot.i18n import languages
from bot.library import check, content_folder, load
from bot.library.hints import Hints
from tests.library.conftest import Content

SHIPPED = load(content_folder())
FIRST = [word.id for word in SHIPPED.shelf.values() if word.is_first]


def test_twelve_boards_hold_90_words() -> None:
    assert len(FIRST) == 12
    assert len(SHIPPED.shelf) == 90
    assert set(Counter(word.board for word in SHIPPED.shelf.values()).values()) == {7, 8}
    assert all(0 < len(word.line) <= LONGEST_SHELF_LINE for word in SHIPPED.shelf.values())


def test_every_board_has_hints_everywhere() -> None:
    assert set(SHIPPED.hints) == set(languages())
    assert all(set(boards) == set(FIRST) for boards in SHIPPED.hints.values())


def test_words_are_read_with_their_board(content: Content) -> None:
    library = load(content.folder)
    assert list(library.shelf) == ["heavy", "sad", "warm"]
    assert library.shelf["sad"] == ShelfWord("sad", "heavy", "sad", "close behind the eyes")
    assert [word.id for word in library.shelf.values() if word.is_first] == ["heavy", "warm"]
    assert library.hints == {"en": {"heavy": ("cried", "rain"), "warm": ("sun",)}}


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "sentence"),
    [
        ("shelf.toml", 'of = "heavy"', 'of = "light"', 8, 'of is "light"; no word before this one opens a board'),
        ("shelf.toml", 'of = "heavy"', 'of = "warm"', 8, 'of is "warm"; no word before this one opens a board'),
        ("shelf.toml", 'id = "sad"', 'id = "heavy"', 7, 'id "heavy" is already used at content/shelf.toml:2'),
        ("shelf.toml", 'id = "sad"', f'id = "{"s" * 25}"', 7, "id is 25 characters long; at most 24 are allowed"),
        ("shelf.toml", 'text = "sad"', 'text = "heavy"', 9, "text is the same as at content/shelf.toml:3"),
        ("shelf.toml", 'text = "sad"', f'text = "{"s" * 17}"', 9, "text is 17 characters long; at most 16"),
        ("shelf.toml", "close behind", "c" * 70, 10, "line is 79 characters long; at most 70 are allowed"),
        ("shelf.toml", "close behind", "healing behind", 10, 'line says "healing", which is a word of the clinic'),
        ("shelf.toml", 'line = "close behind the eyes"', "", 6, '"line" is missing'),
        ("hints/en.toml", 'id = "heavy"', 'id = "light"', 2, 'id is "light"; no word of shelf.toml opens a board'),
        ("hints/en.toml", 'id = "heavy"', 'id = "sad"', 2, 'id is "sad"; no word of shelf.toml opens a board'),
        ("hints/en.toml", 'id = "heavy"', 'id = "light"', 1, "there are no words for heavy"),
        ("hints/en.toml", 'id = "warm"', 'id = "heavy"', 6, 'id "heavy" is already used in this file'),
        ("hints/en.toml", '"rain"', '"Rain"', 3, 'words has "Rain"; expected a single word in lower case'),
        ("hints/en.toml", '"rain"', '"in the rain"', 3, 'words has "in the rain"; expected a single word'),
        ("hints/en.toml", '["sun"]', "[]", 7, "words is empty"),
    ],
)
def test_mistake_is_located(content: Content, file: str, old: str, new: str, line: int, sentence: str) -> None:
    content.spoil(file, old, new)
    place = f"content/{file}:{line}: {sentence}"
    assert any(problem.startswith(place) for problem in check(content.folder)), check(content.folder)


@pytest.mark.parametrize(
    ("language", "line", "board"),
    [
        ("en", "I cried in the car after the funeral.", "heavy"),
        ("en", "Yelling at the printer. So angry.", "wound-up"),
        ("en", "Too TIRED to sleep", "running-on-empty"),
        ("de", "Ich habe mich so geschämt, es war peinlich.", "small"),
        ("de", "Die Umarmungen danach. Ich bin dankbar.", "warm"),
        ("en", "The lamp is green.", FIRST[0]),
        ("xx", "I cried in the car after the funeral.", FIRST[0]),
    ],
)
def test_nearest_board_comes_first(language: str, line: str, board: str) -> None:
    nearest = Hints(SHIPPED).nearest(language, line)
    assert nearest[0] == board
    assert sorted(nearest) == sorted(FIRST), "each is there once"


def test_more_hints_rank_a_board_higher() -> None:
    nearest = Hints(SHIPPED).nearest("en", "Proud, though sad and in tears.")
    assert nearest[:2] == ("heavy", "switched-on")
    assert list(nearest[2:]) == [board for board in FIRST if board not in {"heavy", "switched-on"}]
