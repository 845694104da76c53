"""Words for a Line: added to it, taken off, kept with it, and for nobody else."""

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.feelings import LONGEST_OWN, MOST, Feeling, unpack
from bot.domain.results import Deleted, Kept, LineGone, Outdated, Result, SetAside
from bot.domain.results.shelf import BoardShown, OwnWordWanted, ShelfFull, ShelfShown, WordsShown
from bot.services.lines import PATIENCE, Lines
from bot.services.shelf import Shelf
from tests.services.conftest import ALICE, BOB, LIBRARY, House
from tests.services.reading import reader_of


@pytest.fixture
def shelf(house: House) -> Shelf:
    shelf = Shelf(LIBRARY)
    house.lines = Lines(shelf.typed)
    return shelf


@pytest.fixture
async def line(house: House, shelf: Shelf) -> int:  # noqa: ARG001  # it takes what is typed
    """Let Alice keep a Line; return its id."""
    await house.arrives(ALICE)
    return await keeps(house, "I cried in the car.", 1)


async def keeps(house: House, words: str, message_id: int) -> int:
    await house.is_asked(ALICE)
    kept = await house.says(ALICE, words, message_id)
    assert isinstance(kept, Kept), kept
    return kept.line_id


async def words_of(house: House, line_id: int, user_id: int = ALICE) -> list[str]:
    async with house.store.reading() as rows:
        return [each.shelf or each.own for each in await rows.lines.feelings(user_id, line_id)]


async def read(house: House, shelf: Shelf, result: Result) -> Any:
    return await house.does(ALICE, reader_of(result, shelf=shelf), result)


async def test_one_first_word_is_enough(house: House, shelf: Shelf, line: int) -> None:
    assert await house.does(ALICE, shelf.show, line) == ShelfShown(line)
    assert await house.does(ALICE, shelf.board, "heavy", line) == BoardShown(line)
    assert await house.does(ALICE, shelf.name, "heavy", line) == Kept(line, first=True)
    await house.does(ALICE, shelf.name, "torn", line)
    await house.does(ALICE, shelf.name, "heavy", line)
    assert await words_of(house, line) == ["heavy", "torn"]
    assert await house.does(ALICE, shelf.take_off, line) == Kept(line, first=True)
    assert await words_of(house, line) == []


async def test_nearest_boards_come_first(house: House, shelf: Shelf, line: int) -> None:
    shown = await read(house, shelf, ShelfShown(line))
    assert shown["boards"].split()[0] == "heavy"
    assert len(shown["boards"].split()) == 12


async def test_own_word_is_the_next_text(house: House, shelf: Shelf, line: int) -> None:
    assert await house.does(ALICE, shelf.want_own, line) == OwnWordWanted(line)
    assert await house.says(ALICE, "x" * (LONGEST_OWN + 1), 2) == OwnWordWanted(line, too_long=True)
    assert isinstance(await house.says(ALICE, " like wet\n wool ", 3), Kept)
    assert await words_of(house, line) == ["like wet wool"]
    assert isinstance(await house.says(ALICE, "and this is a text again", 4), SetAside)


@pytest.mark.parametrize("way", ["back to the boards", "back to the line", "an hour"])
async def test_own_word_is_awaited_no_longer(house: House, shelf: Shelf, line: int, way: str) -> None:
    await house.does(ALICE, shelf.want_own, line)
    if way == "back to the boards":
        await house.does(ALICE, shelf.show, line)
    elif way == "back to the line":
        await house.does(ALICE, house.lines.show, line)
    else:
        house.clock.advance(PATIENCE + timedelta(seconds=1))
    assert isinstance(await house.says(ALICE, "woolly", 2), SetAside)
    assert await words_of(house, line) == []


async def test_seventh_word_has_no_room(house: House, shelf: Shelf, line: int) -> None:
    seven = list(LIBRARY.shelf)[: MOST + 1]
    for word in seven[:-1]:
        assert isinstance(await house.does(ALICE, shelf.name, word, line), Kept)
    assert await house.does(ALICE, shelf.name, seven[-1], line) == ShelfFull(line)
    assert await words_of(house, line) == seven[:-1]


async def test_changed_line_keeps_its_words(house: House, shelf: Shelf, line: int) -> None:
    await house.does(ALICE, shelf.name, "heavy", line)
    await house.does(ALICE, house.lines.edited, "I cried at home.", 1)
    assert await words_of(house, line) == ["heavy"]
    assert isinstance(await house.does(ALICE, house.lines.delete, line, 1), Deleted)
    assert await words_of(house, line) == []
    for use_case, *about in ((shelf.show,), (shelf.board, "heavy"), (shelf.name, "heavy"), (shelf.take_off,)):
        assert await house.does(ALICE, use_case, *about, line) == LineGone()
    assert await house.does(ALICE, shelf.want_own, line) == LineGone()


async def test_unknown_word_is_of_another_version(house: House, shelf: Shelf, line: int) -> None:
    assert await house.does(ALICE, shelf.board, "gone-by-now", line) == Outdated()
    assert await house.does(ALICE, shelf.name, "gone-by-now", line) == Outdated()


async def test_nobody_names_the_lines_of_another(house: House, shelf: Shelf, line: int) -> None:
    await house.arrives(BOB)
    assert await house.does(BOB, shelf.name, "heavy", line) == LineGone()
    await house.does(ALICE, shelf.name, "torn", line)
    assert await words_of(house, line, BOB) == []
    shown = await house.does(BOB, shelf.read_shelf, ShelfShown(line))
    assert unpack(shown["feelings"]) == ()


async def test_weekly_words_come_once(house: House, shelf: Shelf, line: int) -> None:
    await house.does(ALICE, shelf.name, "heavy", line)
    house.clock.advance(timedelta(weeks=1))
    later = await keeps(house, "Better.", 5)
    for word in ("relieved", "heavy"):
        await house.does(ALICE, shelf.name, word, later)
    assert await house.does(ALICE, shelf.words) == WordsShown()
    shown = await read(house, shelf, WordsShown())
    assert unpack(shown["feelings"]) == (Feeling(shelf="relieved"), Feeling(shelf="heavy"))
    house.clock.advance(timedelta(weeks=8, seconds=1))
    assert unpack((await read(house, shelf, WordsShown()))["feelings"]) == ()
