"""The Journal: users look back at their own Lines, page by page, and can change, share or delete each of them.

We store which page somebody is on, so that after an action on a Line they get back to that page, even after a restart.
A Filter is stored as the list of matching Lines, found once when it is chosen: finding them may take opening all Lines,
while showing a page must only open the Lines on it.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Final, TypeVarTuple

from bot.domain.feelings import Feeling, pack
from bot.domain.journal import (
    LONGEST_SEARCH,
    ON_A_PAGE,
    SEARCH_AWAITED,
    By,
    Filter,
    searching,
)
from bot.domain.model import Dialog, Line, User, Waiting
from bot.domain.results import Changed, Deleted, Kept, LineDiffers, Outdated, Result
from bot.domain.results.journal import (
    JournalFilters,
    JournalLine,
    JournalPage,
    JournalSearchWanted,
    JournalSought,
    JournalThemes,
    JournalWords,
)
from bot.domain.sharing import Reflection
from bot.domain.times import local_date, year_before
from bot.library import Library
from bot.services.lines import Typed, kept
from bot.services.visit import Visit
from bot.storage.store import Rows, Store

Ts = TypeVarTuple("Ts")

_EARLIEST: Final = timedelta(days=1)
_LATEST: Final = timedelta(days=4)
"""How long before and after its date's midnight in UTC a Line can have been kept: a date begins 14 hours earlier in
the east and ends 12 hours later in the west, and a question stays open for two days."""


class Journal:
    """The use cases of /journal."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self.typed: Final[dict[Waiting, Typed]] = {Waiting.JOURNAL_SEARCH: self._typed}

    # --- pages --------------------------------------------------------------------------------------------------------

    async def show(self, visit: Visit) -> Result:
        """Show the first page of all Lines."""
        await visit.rows.journal.show_all(visit.user.id)
        return await self._page(visit, None)

    async def first(self, visit: Visit) -> Result:
        """Show the first page of the current Filter."""
        return await self._page(visit, None)

    async def back(self, visit: Visit) -> Result:
        """Show the last page again, with its current content."""
        await visit.rows.dialogs.forget(visit.user.id, only=(Waiting.JOURNAL_SEARCH,))
        page = await visit.rows.journal.find(visit.user.id)
        if page.line_id:  # the page's buttons replace the Line's, and stay when the Line is changed
            await visit.rows.lines.show_on(visit.user.id, page.line_id, None)
        return await self._page(visit, page.after_id)

    async def older(self, visit: Visit, line_id: int) -> Result:
        """Show the page below this Line."""
        return await self._page(visit, line_id)

    async def newer(self, visit: Visit, line_id: int) -> Result:
        """Show the page above this Line."""
        above = await (await _lines(visit)).newer(line_id, ON_A_PAGE + 1)
        return await self._page(visit, above[0].id if len(above) > ON_A_PAGE else None)

    async def open(self, visit: Visit, line_id: int) -> Result:
        """Show one Line; the page, if the Line isn't there any more."""
        line = await visit.rows.lines.find(visit.user.id, line_id)
        if line is None:
            page = await visit.rows.journal.find(visit.user.id)
            return replace(await self._page(visit, page.after_id), gone=True)
        await visit.rows.journal.open(visit.user.id, line.id)
        return await self._opened(visit, line)

    def leading_back(
        self, use_case: Callable[[Visit, *Ts], Awaitable[Result]]
    ) -> Callable[[Visit, *Ts], Awaitable[Result]]:
        """Wrap a use case of Lines so that it leads back to the Journal if the Line is open there."""

        async def handle(visit: Visit, *about: *Ts) -> Result:
            return await self.returned(visit, await use_case(visit, *about))

        return handle

    def deleting(
        self, delete: Callable[[Visit, int, int], Awaitable[Result]]
    ) -> Callable[[Visit, int, int], Awaitable[Result]]:
        """Like `leading_back`, for the use case that deletes a Line."""

        async def handle(visit: Visit, line_id: int, revision: int) -> Result:
            page = await visit.rows.journal.find(visit.user.id)
            result = await delete(visit, line_id, revision)
            if page.line_id == line_id and isinstance(result, Deleted):
                return replace(await self._page(visit, page.after_id), deleted=True, stale=result.stale)
            return await self.returned(visit, result)

        return handle

    async def returned(self, visit: Visit, result: Result) -> Result:
        """Return what to show in place of a Line's card: the Journal, if the Line is open there."""
        if not isinstance(result, Changed | Kept | LineDiffers):
            return result
        page = await visit.rows.journal.find(visit.user.id)
        if page.line_id != result.line_id:
            return result
        if isinstance(result, Changed):
            shown = await self._page(visit, page.after_id)
            return replace(shown, changed=True, shared=result.shared, stale=result.stale)
        return await self.open(visit, result.line_id)

    async def _page(self, visit: Visit, after_id: int | None) -> JournalPage:
        """Show the page of Lines older than this one; if there are none, the last page."""
        lines = await _lines(visit)
        below = await lines.older(after_id, ON_A_PAGE + 1)
        if not below and after_id is not None:
            above = await lines.newer(after_id, ON_A_PAGE)
            after_id = above[0].id if len(above) == ON_A_PAGE else None
            below = await lines.older(after_id, ON_A_PAGE + 1)
        shown = below[:ON_A_PAGE]
        is_first = not shown or not await lines.newer(shown[0].id, 1)
        await visit.rows.journal.turn_to(visit.user.id, None if is_first else after_id)
        return JournalPage(
            tuple((line.id, line.day) for line in shown),
            newer=None if is_first else shown[0].id,
            older=shown[-1].id if len(below) > ON_A_PAGE else None,
            limited=isinstance(lines, _Found),
        )

    # --- filters ------------------------------------------------------------------------------------------------------

    async def filters(self, visit: Visit) -> Result:
        """Show what the Journal can be limited by."""
        await visit.rows.dialogs.forget(visit.user.id, only=(Waiting.JOURNAL_SEARCH,))
        page = await visit.rows.journal.find(visit.user.id)
        return JournalFilters(bool(await _year_ago(visit)), limited=page.filter_id is not None)

    async def words(self, _visit: Visit, start: int) -> Result:
        """Show the words that were added to Lines."""
        return JournalWords(start)

    async def themes(self, _visit: Visit) -> Result:
        """Show the themes of which there are Lines."""
        return JournalThemes()

    async def by_word(self, visit: Visit, line_id: int, position: int) -> Result:
        """Limit the Journal to Lines with a word, given by a Line and a position there since buttons carry no words."""
        feelings = await visit.rows.lines.feelings(visit.user.id, line_id)
        if position >= len(feelings):
            return Outdated()
        return await self._limit(visit, Filter(By.WORD, feeling=feelings[position]))

    async def by_theme(self, visit: Visit, theme: str) -> Result:
        """Limit the journal to Lines that answer questions of a theme."""
        if theme not in {each.id for each in self._library.themes}:
            return Outdated()
        return await self._limit(visit, Filter(By.THEME, theme=theme))

    async def year_ago(self, visit: Visit) -> Result:
        """Limit the journal to Lines of today's date a year ago."""
        return await self._limit(visit, Filter(By.YEAR_AGO))

    async def want_search(self, visit: Visit) -> Result:
        """Wait for the words to search for."""
        awaited = Dialog(Waiting.JOURNAL_SEARCH, visit.user.id, visit.now + SEARCH_AWAITED)
        await visit.rows.dialogs.await_(visit.user.id, awaited)
        return JournalSearchWanted()

    async def _typed(self, visit: Visit, _dialog: Dialog, words: str, _message_id: int) -> Result | None:
        if len(words) > LONGEST_SEARCH:
            return None  # more likely a Line, which must not get lost as a search
        return await self._limit(visit, Filter(By.SEARCH))

    async def _limit(self, visit: Visit, chosen: Filter) -> Result:
        return JournalSought(await visit.rows.journal.limit(visit.user.id, chosen))

    async def matching(self, visit: Visit, chosen: Filter, sought: str) -> list[int]:
        """Return the Lines that match a Filter, newest first. `sought` is the text of a search."""
        rows, user_id = visit.rows, visit.user.id
        if chosen.by is By.SEARCH:
            return await rows.lines.search(user_id, searching(sought))
        if chosen.by is By.WORD:
            return [line_id for line_id, these in await rows.lines.all_feelings(user_id) if chosen.feeling in these]
        if chosen.by is By.THEME:
            asked = await rows.lines.prompts(user_id)
            return [line_id for line_id, prompt_id in asked if _theme_of(prompt_id) == chosen.theme]
        return await _year_ago(visit)

    # --- words for screens --------------------------------------------------------------------------------------------

    async def read_page(self, visit: Visit, result: JournalPage) -> Mapping[str, str]:
        opened = await visit.rows.lines.opened(visit.user.id, [line_id for line_id, _ in result.lines])
        chosen = await visit.rows.journal.filter(visit.user.id) if result.limited else None
        return {
            **{f"line.{each.line.id}": each.words for each in opened},
            **{f"feelings.{each.line.id}": pack(each.feelings) for each in opened if each.feelings},
            **await self._questions(visit, [each.line for each in opened]),
            **({"filter": chosen.pack()} if chosen else {}),
        }

    async def read_line(self, visit: Visit, result: JournalLine) -> Mapping[str, str]:
        opened = await visit.rows.lines.opened(visit.user.id, [result.line_id])
        if not opened:
            return {}
        line, words, feelings = opened[0]
        return {
            "line": words,
            "feelings": pack(feelings),
            **await self._questions(visit, [line]),
        }

    async def read_themes(self, visit: Visit, _: JournalThemes) -> Mapping[str, str]:
        asked = {_theme_of(prompt_id) for prompt_id in await visit.rows.lines.prompts_once(visit.user.id)}
        return {"themes": " ".join(theme.id for theme in self._library.themes if theme.id in asked)}

    async def _questions(self, visit: Visit, lines: Sequence[Line]) -> Mapping[str, str]:
        """Return what each of these Lines answers: a question of the library, or an older Line that was brought back.

        A Line without a question, or whose question has left the library, has no entry.
        """
        prompts = {line.id: self._library.prompts.get(line.prompt_id or "") for line in lines}
        asks = [line.ask_id for line in lines if line.ask_id and not line.prompt_id]
        brought_back = await visit.rows.asks.brought_back(visit.user.id, asks) if asks else {}
        older = await visit.rows.lines.words_of(visit.user.id, set(brought_back.values())) if brought_back else {}
        then = {line.id: older.get(brought_back.get(line.ask_id or 0, 0)) for line in lines}
        return {
            **{f"question.{line_id}": prompt.text for line_id, prompt in prompts.items() if prompt},
            **{f"then.{line_id}": words for line_id, words in then.items() if words},
        }

    # --- one Line -----------------------------------------------------------------------------------------------------

    async def _opened(self, visit: Visit, line: Line) -> JournalLine:
        card = await kept(visit.rows, line)
        pair_id = await _pair_as_known(visit.rows, visit.user.id)
        known = await _known(visit.rows, line, pair_id)
        present = next((each.id for each in known if each.pair_id == pair_id), None)
        return JournalLine(
            line.id,
            line.day,
            line.revision,
            may_share=card.may_share,
            reflections=tuple((each.id, each.due_at) for each in known if each.due_at),
            answered=tuple(each.id for each in known if each.told),
            looked_up=present,
        )


class _All:
    """All Lines of a user."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit

    async def older(self, than: int | None, limit: int) -> list[Line]:
        return await self._visit.rows.lines.page(self._visit.user.id, than, limit)

    async def newer(self, than: int, limit: int) -> list[Line]:
        return await self._visit.rows.lines.newer(self._visit.user.id, than, limit)


class _Found:
    """The Lines that match the filter and haven't been deleted since."""

    def __init__(self, visit: Visit, ids: Sequence[int]) -> None:
        self._visit = visit
        self._ids = ids

    async def older(self, than: int | None, limit: int) -> list[Line]:
        start = self._ids.index(than) + 1 if than in self._ids else 0
        return await self._first(self._ids[start:], limit)

    async def newer(self, than: int, limit: int) -> list[Line]:
        end = self._ids.index(than) if than in self._ids else 0
        return (await self._first(self._ids[:end][::-1], limit))[::-1]

    async def _first(self, ids: Sequence[int], limit: int) -> list[Line]:
        there: list[Line] = []
        for start in range(0, len(ids), 4 * limit):
            there += await self._visit.rows.lines.several(self._visit.user.id, ids[start : start + 4 * limit])
            if len(there) >= limit:
                break
        return there[:limit]


async def _lines(visit: Visit) -> _All | _Found:
    """Return the Lines that the journal shows now."""
    page = await visit.rows.journal.find(visit.user.id)
    return _Found(visit, await visit.rows.journal.found(visit.user.id)) if page.filter_id else _All(visit)


class JournalSearch:
    """Does what takes opening all of a user's Lines outside their turn, so that nobody waits for it."""

    def __init__(self, store: Store, journal: Journal) -> None:
        self._store = store
        self._journal = journal

    async def find(self, user: User, sought: JournalSought, text: str, now: datetime) -> Result:
        """Find the Lines that match the chosen Filter, and show the first page. `text` is the text of a search."""
        async with self._store.reading() as rows:
            chosen = await rows.journal.filter(user.id)
            found = await self._journal.matching(Visit(rows, user, now), chosen, text) if chosen else []
        async with self._store.writing(user.id) as rows:
            if await rows.users.find(user.id):
                await rows.journal.keep_found(user.id, sought.filter_id, found)
                return await self._journal.first(Visit(rows, user, now))
        return sought

    async def words(self, user: User) -> Mapping[str, str]:
        """Return the user's words, each once with a Line that has it and its position there, the latest first."""
        first: dict[Feeling, tuple[int, int]] = {}
        async with self._store.reading() as rows:
            for line_id, feelings in await rows.lines.all_feelings(user.id):
                for position, feeling in enumerate(feelings):
                    first.setdefault(feeling, (line_id, position))
        return {"feelings": pack(first), "places": json.dumps(list(first.values()))}


def _theme_of(prompt_id: str) -> str:
    """Return a prompt's theme, which is part of its id, so that it is known even for one that has left the library."""
    return prompt_id.partition(".")[0]


async def _year_ago(visit: Visit) -> list[int]:
    """Return the Lines of today's date a year ago, newest first."""
    day = year_before(local_date(visit.now, visit.zone))
    midnight = datetime.combine(day, time(), UTC)
    return await visit.rows.lines.of_day(visit.user.id, day, midnight - _EARLIEST, midnight + _LATEST)


async def _pair_as_known(rows: Rows, user_id: int) -> int | None:
    """Return the user's Pair as far as they know: one that has ended counts until they have been told."""
    pair = await rows.pairs.active(user_id)
    return pair.id if pair else await rows.pairs.ended(user_id)


async def _known(rows: Rows, line: Line, pair_id: int | None) -> list[Reflection]:
    """Return the Reflections of a Line that its user may know the state of, the latest first.

    In the current Pair these are all that they have shared and not taken back, opened or not. From an earlier Pair they
    are only those whose Response they have seen; the user never learns whether the others were opened.
    """
    shared = await rows.reflections.all_of_line(line.id)
    return [reflection for reflection in shared if reflection.told or reflection.pair_id == pair_id]
