"""The journal: a user's own Lines by page and filter, and what they know about those they shared."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import Select, update

from bot.clock import HandClock
from bot.domain.feelings import Feeling, unpack
from bot.domain.journal import LONGEST_SEARCH, ON_A_PAGE, SEARCH_AWAITED, By, Filter
from bot.domain.model import DAMAGED, Line
from bot.domain.results import ChangeWanted, Outdated, Result, SetAside
from bot.domain.results.journal import JournalFilters, JournalLine, JournalPage, JournalSought, JournalThemes
from bot.services.journal import Journal, JournalSearch
from bot.services.lines import Lines
from bot.services.privacy import Privacy
from bot.services.shelf import Shelf
from bot.services.visit import Visit
from bot.storage import asks as asks_storage
from bot.storage import lines as lines_storage
from bot.storage.damage import open_or_damaged
from bot.storage.ids import timeless_id
from bot.storage.schema import lines
from bot.storage.store import Store
from tests.samples import sampled
from tests.services.conftest import LIBRARY
from tests.services.reading import reader_of
from tests.services.test_sharing import ALICE, BOB, WORDS, Home, make_home

MINUTE = timedelta(minutes=1)


@dataclass
class Book:
    """Alice and Bob, each with a journal. Lines are numbered in the order in which they were kept, from 0."""

    store: Store
    clock: HandClock
    journal: Journal
    lines: Lines
    shelf: Shelf
    kept: dict[int, list[int]] = field(default_factory=lambda: {ALICE: [], BOB: []})

    async def arrives(self, user_id: int) -> None:
        async with self.store.writing() as rows:
            user = await rows.users.add(user_id, "en", self.clock.now())
            await rows.users.change(user, ask_at=time(20), zone="Europe/London")

    async def keeps(
        self, *texts: str, user_id: int = ALICE, prompt_id: str | None = None, at: datetime | None = None
    ) -> list[int]:
        """Let somebody keep these Lines, a minute apart or all `at` one moment; return their ids."""
        ids = []
        async with self.store.writing(user_id) as rows:
            for words in texts:
                self.clock.advance(MINUTE if at is None else timedelta())
                moment = at or self.clock.now()
                message_id = len(self.kept[user_id]) + 1
                line = Line(timeless_id(), user_id, moment.date(), None, message_id)
                await rows.lines.keep(line, words, prompt_id=prompt_id, now=moment)
                ids.append(line.id)
                self.kept[user_id].append(line.id)
        return ids

    async def names(self, line_id: int, *words: str, user_id: int = ALICE) -> None:
        async with self.store.writing(user_id) as rows:
            line = await rows.lines.find(user_id, line_id)
            assert line
            await rows.lines.set_feelings(line, [Feeling(own=word) for word in words])

    async def does(self, use_case: Callable[..., Any], *about: Any, user_id: int = ALICE) -> Any:
        async with self.store.writing(user_id) as rows:
            user = await rows.users.find(user_id)
            assert user
            return await use_case(Visit(rows, user, self.clock.now()), *about)

    async def chooses(self, use_case: Callable[..., Any], *about: Any, typed: str = "", user_id: int = ALICE) -> Any:
        """Choose a filter, and return the page that it finds."""
        sought = await self.does(use_case, *about, user_id=user_id)
        return await self.finds(sought, typed, user_id=user_id) if isinstance(sought, JournalSought) else sought

    async def finds(self, sought: JournalSought, typed: str = "", *, user_id: int = ALICE) -> Result:
        async with self.store.reading() as rows:
            user = await rows.users.find(user_id)
            assert user
        return await JournalSearch(self.store, self.journal).find(user, sought, typed, self.clock.now())

    async def searches(self, typed: str, message_id: int = 9000) -> Any:
        await self.does(self.journal.want_search)
        sought = await self.does(self.lines.receive, typed, message_id)
        return await self.finds(sought, typed) if isinstance(sought, JournalSought) else sought

    async def read(self, result: Result, user_id: int = ALICE) -> dict[str, str]:
        read: dict[str, str] = await self.does(reader_of(result, journal=self.journal), result, user_id=user_id)
        return read

    def numbers(self, page: Result, user_id: int = ALICE) -> list[int]:
        """Return which of the Lines a page shows."""
        assert isinstance(page, JournalPage), page
        return [self.kept[user_id].index(line_id) for line_id, _ in page.lines]

    async def turns_all(self, page: Any, user_id: int = ALICE) -> list[int]:
        """Turn from this page to the last one; return which Lines were seen."""
        seen = self.numbers(page, user_id)
        while page.older:
            page = await self.does(self.journal.older, page.older, user_id=user_id)
            seen += self.numbers(page, user_id)
        return seen


@pytest.fixture
async def book(store: Store, clock: HandClock) -> Book:
    journal, shelf = Journal(LIBRARY), Shelf(LIBRARY)
    book = Book(store, clock, journal, Lines({**shelf.typed, **journal.typed}), shelf)
    for user_id in (ALICE, BOB):
        await book.arrives(user_id)
    return book


def texts(count: int) -> list[str]:
    return [f"line {number}" for number in range(count)]


# --- pages ------------------------------------------------------------------------------------------------------------


async def test_pages_go_back_and_forward(book: Book) -> None:
    await book.keeps(*texts(12))
    first = await book.does(book.journal.show)
    assert book.numbers(first) == [11, 10, 9, 8, 7]
    assert (first.newer, first.older) == (None, book.kept[ALICE][7])
    second = await book.does(book.journal.older, first.older)
    assert book.numbers(second) == [6, 5, 4, 3, 2]
    third = await book.does(book.journal.older, second.older)
    assert (book.numbers(third), third.older) == ([1, 0], None)
    assert await book.does(book.journal.newer, third.newer) == second
    assert await book.does(book.journal.newer, second.newer) == first


async def test_added_lines_keep_pages_full(book: Book) -> None:
    await book.keeps(*texts(10))
    second = await book.does(book.journal.older, (await book.does(book.journal.show)).older)
    await book.keeps("new", "newer")
    page = await book.does(book.journal.newer, second.newer)
    assert book.numbers(page) == [9, 8, 7, 6, 5]
    assert book.numbers(await book.does(book.journal.newer, page.newer)) == [11, 10, 9, 8, 7]


async def test_simultaneous_lines_are_shown_once(book: Book) -> None:
    await book.keeps(*texts(13), at=book.clock.now())
    assert await book.turns_all(await book.does(book.journal.show)) == list(range(12, -1, -1))


async def test_empty_journal_has_an_empty_page(book: Book) -> None:
    assert await book.does(book.journal.show) == JournalPage()


async def test_line_without_its_question_is_shown(book: Book) -> None:
    (gone,) = await book.keeps("still here", prompt_id="worry.no-longer-asked")
    (asked,) = await book.keeps("asked", prompt_id="work.hands")
    read = await book.read(await book.does(book.journal.show))
    assert read[f"line.{gone}"] == "still here"
    assert f"question.{gone}" not in read
    assert read[f"question.{asked}"] == LIBRARY.prompts["work.hands"].text


async def test_late_answer_names_its_line(book: Book) -> None:
    (old,) = await book.keeps("I can't sleep.")
    asked = await book.does(_asks_about, old)
    async with book.store.writing(ALICE) as rows:
        line = Line(timeless_id(), ALICE, book.clock.now().date(), asked, 500)
        await rows.lines.keep(line, "I do again.", prompt_id=None, now=book.clock.now() + MINUTE)
    read = await book.read(await book.does(book.journal.show))
    assert read[f"then.{line.id}"] == "I can't sleep."


async def _asks_about(visit: Visit, line_id: int) -> int:
    from tests.storage.people import asked

    ask = await asked(visit.rows, visit.user, visit.now)
    await visit.rows.asks.set_prompt(ask, None, visit.now, callback_line_id=line_id)
    return ask.id


async def test_damaged_line_is_shown_only(book: Book) -> None:
    whole, damaged = await book.keeps("rain", "rain too")
    async with book.store.writing() as rows:
        await rows._connection.execute(update(lines).where(lines.c.id == damaged).values(words=b"\x01" * 64))
    read = await book.read(await book.does(book.journal.show))
    assert (read[f"line.{whole}"], read[f"line.{damaged}"]) == ("rain", DAMAGED)
    assert book.numbers(await book.searches("rain")) == [0]


# --- one Line, and back -----------------------------------------------------------------------------------------------


async def second_page(book: Book) -> Any:
    await book.keeps(*texts(12))
    return await book.does(book.journal.older, (await book.does(book.journal.show)).older)


async def test_change_leads_back_to_the_page(book: Book) -> None:
    page = await second_page(book)
    line_id = book.kept[ALICE][4]
    assert isinstance(await book.does(book.journal.open, line_id), JournalLine)
    assert await book.does(book.journal.leading_back(book.lines.change), line_id, 0) == ChangeWanted(line_id)
    changed = await book.does(_says(book), "other words")
    assert changed == JournalPage(page.lines, page.newer, page.older, changed=True)
    assert (await book.read(changed))[f"line.{line_id}"] == "other words"


def _says(book: Book) -> Callable[..., Any]:
    async def says(visit: Visit, words: str) -> Result:
        return await book.journal.returned(visit, await book.lines.receive(visit, words, 9000))

    return says


async def test_leaving_a_line_leads_back(book: Book) -> None:
    page = await second_page(book)
    line_id = book.kept[ALICE][4]
    opened = await book.does(book.journal.open, line_id)
    assert await book.does(book.journal.leading_back(book.lines.show), line_id) == opened
    assert await book.does(book.journal.leading_back(book.shelf.name), "heavy", line_id) == opened
    assert unpack((await book.read(opened))["feelings"]) == (Feeling(shelf="heavy"),)
    assert await book.does(book.journal.back) == page


async def test_deleting_refills_the_page(book: Book) -> None:
    await second_page(book)
    line_id = book.kept[ALICE][4]
    await book.does(book.journal.open, line_id)
    deleted = await book.does(book.journal.deleting(book.lines.delete), line_id, 0)
    assert deleted.deleted
    assert book.numbers(deleted) == [6, 5, 3, 2, 1]


async def test_emptied_last_page_leads_back(book: Book) -> None:
    await book.keeps(*texts(ON_A_PAGE + 1))
    await book.does(book.journal.older, (await book.does(book.journal.show)).older)
    await book.does(book.journal.open, book.kept[ALICE][0])
    deleted = await book.does(book.journal.deleting(book.lines.delete), book.kept[ALICE][0], 0)
    assert (book.numbers(deleted), deleted.newer, deleted.older) == ([5, 4, 3, 2, 1], None, None)


async def test_line_opened_elsewhere_has_its_card(book: Book) -> None:
    await second_page(book)
    await book.does(book.journal.open, book.kept[ALICE][4])
    other = book.kept[ALICE][5]
    assert not isinstance(await book.does(book.journal.leading_back(book.lines.show), other), JournalLine)
    await book.does(book.journal.back)
    shown = await book.does(book.journal.leading_back(book.lines.show), book.kept[ALICE][4])
    assert not isinstance(shown, JournalLine)


async def test_missing_line_leaves_the_page(book: Book) -> None:
    page = await second_page(book)
    await book.does(book.lines.delete, book.kept[ALICE][4], 0)
    gone = await book.does(book.journal.open, book.kept[ALICE][4])
    assert gone.gone
    assert book.numbers(gone) == [6, 5, 3, 2, 1]
    assert len(page.lines) == ON_A_PAGE


# --- filters ----------------------------------------------------------------------------------------------------------


async def test_search_is_lenient_and_forgotten(book: Book) -> None:
    await book.keeps("Im Café war es laut.", "nothing", "CAFE again")
    found = await book.searches("café")
    assert (book.numbers(found), found.limited) == ([2, 0], True)
    async with book.store.reading() as rows:
        assert await rows.journal.filter(ALICE) == Filter(By.SEARCH)
        assert await rows.dialogs.find(ALICE, book.clock.now()) is None
    assert book.numbers(await book.does(book.journal.show)) == [2, 1, 0]


@pytest.mark.parametrize("way", ["too long", "too late", "back"])
async def test_line_is_never_a_search(book: Book, way: str) -> None:
    await book.does(book.journal.want_search)
    if way == "too late":
        book.clock.advance(SEARCH_AWAITED)
    if way == "back":
        await book.does(book.journal.filters)
    words = "x" * (LONGEST_SEARCH + 1) if way == "too long" else "rain"
    assert isinstance(await book.does(book.lines.receive, words, 9000), SetAside)


async def test_word_filter_starts_from_a_line(book: Book) -> None:
    ids = await book.keeps(*texts(8))
    for number in (0, 3, 6):
        await book.names(ids[number], "tired", "wet wool")
    await book.names(ids[5], "tired")
    async with book.store.reading() as rows:
        user = await rows.users.find(ALICE)
        assert user
    words = await JournalSearch(book.store, book.journal).words(user)
    assert unpack(words["feelings"]) == (Feeling(own="tired"), Feeling(own="wet wool"))
    assert words["places"] == f"[[{ids[6]}, 0], [{ids[6]}, 1]]"
    assert book.numbers(await book.chooses(book.journal.by_word, ids[6], 1)) == [6, 3, 0]
    assert book.numbers(await book.chooses(book.journal.by_word, ids[6], 0)) == [6, 5, 3, 0]
    assert await book.chooses(book.journal.by_word, ids[6], 2) == Outdated()


async def test_theme_includes_retired_questions(book: Book) -> None:
    await book.keeps("0", prompt_id="work.hands")
    await book.keeps("1", prompt_id="body.gone")
    await book.keeps("2", prompt_id="work.no-longer-asked")
    assert book.numbers(await book.chooses(book.journal.by_theme, "work")) == [2, 0]
    assert (await book.read(JournalThemes()))["themes"] == "work body"
    assert await book.chooses(book.journal.by_theme, "gone-by-now") == Outdated()


async def test_year_ago_needs_a_line(book: Book) -> None:
    assert await book.does(book.journal.filters) == JournalFilters()
    await book.keeps("that day", "and again")
    book.clock.advance(timedelta(days=364))
    await book.keeps("yesterday")
    assert await book.does(book.journal.filters) == JournalFilters()
    book.clock.advance(timedelta(days=1))
    assert await book.does(book.journal.filters) == JournalFilters(year_ago=True)
    assert book.numbers(await book.chooses(book.journal.year_ago)) == [1, 0]
    assert await book.does(book.journal.filters) == JournalFilters(year_ago=True, limited=True)


async def test_found_pages_omit_deleted_lines(book: Book) -> None:
    ids = await book.keeps(*(f"rain {number}" if number % 2 else "sun" for number in range(24)))
    first = await book.searches("RAIN")
    for number in (13, 11, 9, 7, 5, 3):
        await book.does(book.lines.delete, ids[number], 0)
    second = await book.does(book.journal.older, first.older)
    assert book.numbers(second) == [1]
    assert book.numbers(await book.does(book.journal.newer, second.newer)) == [23, 21, 19, 17, 15]


async def test_filter_chosen_meanwhile_counts(book: Book) -> None:
    await book.keeps("rain", prompt_id="work.hands")
    await book.keeps("sun")
    await book.does(book.journal.want_search)
    sought = await book.does(book.lines.receive, "sun", 9000)
    later = await book.does(book.journal.by_theme, "work")
    await book.finds(sought, "sun")
    assert book.numbers(await book.finds(later)) == [0]


@pytest.mark.parametrize("seed", sampled(range(1), range(4)))
async def test_filters_show_only_own_lines(book: Book, seed: int) -> None:
    """Both keep the same words, put the same feelings to them and answer the same questions."""
    chance = Random(seed)
    prompts = [*list(LIBRARY.prompts)[:4], "worry.gone", None]
    for _ in range(40):
        who, prompt_id = chance.choice((ALICE, BOB)), chance.choice(prompts)
        (line_id,) = await book.keeps(
            chance.choice(("rain", "sun and rain", "Regen")), user_id=who, prompt_id=prompt_id
        )
        await book.names(line_id, *chance.sample(("tired", "light", "wet wool"), chance.randrange(3)), user_id=who)
    for _ in range(12):
        who = chance.choice((ALICE, BOB))
        page = await _any_page(book, chance, who, prompts)
        if isinstance(page, JournalPage):
            seen = await book.turns_all(page, who)  # fails for a Line of the other one
            assert seen == sorted(seen, reverse=True)
            assert len(await book.read(page, who)) >= len(page.lines)
    mine, theirs = book.kept[ALICE], book.kept[BOB][0]
    assert await book.does(book.journal.by_word, theirs, 0) == Outdated()
    assert (await book.does(book.journal.open, theirs)).gone
    for turned in (book.journal.older, book.journal.newer):
        assert set(book.numbers(await book.does(turned, theirs))) <= set(range(len(mine)))
    assert await book.read(JournalPage(((theirs, date(2026, 1, 1)),))) == {}
    assert await book.read(JournalLine(theirs, date(2026, 1, 1))) == {}


async def _any_page(book: Book, chance: Random, who: int, prompts: Sequence[str | None]) -> Any:
    match chance.randrange(4):
        case 0:
            return await book.does(book.journal.show, user_id=who)
        case 1:
            return await book.chooses(book.journal.by_word, chance.choice(book.kept[who]), 0, user_id=who)
        case 2:
            theme = (chance.choice(prompts) or "work").partition(".")[0]
            return await book.chooses(book.journal.by_theme, theme, user_id=who)
    return await book.finds(await book.does(book.journal._limit, Filter(By.SEARCH), user_id=who), "rain", user_id=who)


# --- how much it opens ------------------------------------------------------------------------------------------------


async def test_page_opens_only_what_it_shows(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = await book.keeps(*texts(60))
    await book.names(ids[59], "tired")
    opened: list[int] = []

    def opens(*given: Any, **place: Any) -> str:
        opened.append(place["row"])
        return open_or_damaged(*given, **place)

    monkeypatch.setattr(lines_storage, "open_or_damaged", opens)
    page = await book.does(book.journal.show)
    for _ in range(3):
        opened.clear()
        await book.read(page)
        assert sorted(opened) == sorted(line_id for line_id, _ in page.lines)
        page = await book.does(book.journal.older, page.older)


@pytest.mark.parametrize(("statement", "beyond"), [(lines_storage._OLDER, "<"), (lines_storage._NEWER, ">")])
async def test_page_is_found_by_its_index(book: Book, statement: Select[Any], beyond: str) -> None:
    """A page begins at a place in the index, however many Lines are above it."""
    async with book.store.reading() as rows:
        connection = rows._connection
        if connection.dialect.name != "sqlite":
            pytest.skip("how SQLite goes about it")
        plan = f"EXPLAIN QUERY PLAN {statement.compile(dialect=connection.dialect)}"
        found = (await connection.exec_driver_sql(plan, (ALICE, 5, 5, 6, 0))).all()
    way = f"USING INDEX ix_lines_of_user (user_id=? AND (kept_at,message_id){beyond}(?,?))"
    assert [row.detail for row in found] == [f"SEARCH lines {way}"]


@pytest.mark.parametrize("statement", [lines_storage._BY_IDS, asks_storage._BROUGHT_BACK])
async def test_page_reads_rows_by_id(book: Book, statement: Select[Any]) -> None:
    async with book.store.reading() as rows:
        connection = rows._connection
        if connection.dialect.name != "sqlite":
            pytest.skip("how SQLite goes about it")
        query = str(statement.compile(dialect=connection.dialect)).replace("__[POSTCOMPILE_ids]", "?, ?")
        plan = f"EXPLAIN QUERY PLAN {query.replace('__[POSTCOMPILE_ask_ids]', '?, ?')}"
        found = (await connection.exec_driver_sql(plan, (4, 5, ALICE))).all()
    assert [row.detail.partition(" USING ")[2] for row in found] == ["INTEGER PRIMARY KEY (rowid=?)"]


# --- what was shared --------------------------------------------------------------------------------------------------


@pytest.fixture
async def home(store: Store, clock: HandClock) -> Home:
    return await make_home(store, clock)


async def looks(home: Home, about: int) -> tuple[JournalLine, dict[str, str]]:
    """Return what Alice sees in the journal of the Line that she has shared."""
    journal = Journal(LIBRARY)
    async with home.store.reading() as rows:
        reflection = await rows.reflections.any(about)
    assert reflection
    assert reflection.line_id
    line_id = reflection.line_id
    shown = await home.do(ALICE, lambda visit: journal.open(visit, line_id))
    assert isinstance(shown, JournalLine)
    async with home.store.reading() as rows:
        user = await rows.users.find(ALICE)
        assert user
        return shown, dict(await journal.read_line(Visit(rows, user, home.now), shown))


async def test_journal_tells_only_what_was_told(home: Home) -> None:
    about = await home.shares()
    set_for = await home.known(about)
    shown, read = await looks(home, about)
    assert (shown.reflections, shown.answered, shown.looked_up) == (((about, set_for),), (), about)
    assert read["line"] == WORDS
    home.clock.advance(timedelta(hours=1))
    for bobs_act in (home.waiting, lambda: home.opens(about), lambda: home.answers(about), home.goes_out):
        await bobs_act()
        assert await looks(home, about) == (shown, read)
    await home.looks(about)  # under /share
    assert (await looks(home, about))[0].answered == (about,)


@pytest.mark.parametrize("way", ["leaves", "erases"])
async def test_unheard_end_changes_nothing(home: Home, way: str) -> None:
    opened, unopened, answered, too_late = await home.announced(4)
    for each in (opened, answered, too_late):
        await home.opens(each)
    await home.answers(answered)
    assert await home.hears()
    await home.answers(too_late)
    before = [await looks(home, each) for each in (opened, unopened, answered, too_late)]
    if way == "leaves":
        await home.leaves(BOB)
    else:
        async with home.store.writing(BOB) as rows:
            await Privacy(home.pairing).erase(rows, await rows.users.find(BOB), home.now, home.now)
    assert [await looks(home, each) for each in (opened, unopened, answered, too_late)] == before


async def test_told_facts_remain_after_the_end(home: Home) -> None:
    """What Bob opened looks like what he didn't, and an answer that didn't reach her in time never shows."""
    opened, unopened, answered, too_late = await home.announced(4)
    for each in (opened, answered, too_late):
        await home.opens(each)
    await home.answers(answered)
    assert await home.hears()
    await home.answers(too_late)
    await home.goes_out()
    await home.leaves(BOB)
    await home.reaches(ALICE)  # she hears of it
    for each in (opened, unopened, too_late):
        shown, _ = await looks(home, each)
        assert (shown.reflections, shown.answered, shown.looked_up) == ((), (), None)
    shown, _ = await looks(home, answered)
    assert (len(shown.reflections), shown.answered, shown.looked_up) == (1, (answered,), None)
