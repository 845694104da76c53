"""The Shelf: words that users add to a Line, for themselves alone."""

from collections.abc import Mapping
from typing import Final

from bot.domain.feelings import LONGEST_OWN, LOOKS_BACK, Feeling, added, distinct, pack
from bot.domain.model import Dialog, Waiting
from bot.domain.results import Kept, LineGone, Outdated, Result
from bot.domain.results.shelf import BoardShown, OwnWordWanted, ShelfFull, ShelfShown, WordsShown
from bot.library import Library
from bot.library.hints import Hints
from bot.services.lines import PATIENCE, Typed, kept
from bot.services.traces import hide_decided
from bot.services.visit import Visit


class Shelf:
    """The use cases of *Name the feeling* and /words."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._hints = Hints(library)
        self.typed: Final[dict[Waiting, Typed]] = {Waiting.FEELING: self._typed}

    async def show(self, visit: Visit, line_id: int) -> Result:
        """Show the first words, and stop waiting for one of the user's own."""
        await visit.rows.dialogs.forget(visit.user.id, only=(Waiting.FEELING,))
        return ShelfShown(line_id) if await visit.rows.lines.find(visit.user.id, line_id) else LineGone()

    async def board(self, visit: Visit, board: str, line_id: int) -> Result:
        """Show the words of a board."""
        if board not in self._library.shelf:
            return Outdated()
        return BoardShown(line_id) if await visit.rows.lines.find(visit.user.id, line_id) else LineGone()

    async def name(self, visit: Visit, word: str, line_id: int) -> Result:
        """Add a word of the Shelf to a Line."""
        if word not in self._library.shelf:
            return Outdated()
        return await self._add(visit, Feeling(shelf=word), line_id)

    async def want_own(self, visit: Visit, line_id: int) -> Result:
        """Wait for a word of the user's own."""
        if await visit.rows.lines.find(visit.user.id, line_id) is None:
            return LineGone()
        await visit.rows.dialogs.await_(visit.user.id, Dialog(Waiting.FEELING, line_id, visit.now + PATIENCE))
        return OwnWordWanted(line_id)

    async def take_off(self, visit: Visit, line_id: int) -> Result:
        """Remove all words from a Line."""
        line = await visit.rows.lines.find(visit.user.id, line_id)
        if line is None:
            return LineGone()
        await visit.rows.lines.set_feelings(line, ())
        return await kept(visit.rows, line)

    async def words(self, _visit: Visit) -> Result:
        """Show the user's words of the last eight weeks."""
        return WordsShown()

    async def _typed(self, visit: Visit, dialog: Dialog, words: str, message_id: int) -> Result | None:
        if await visit.rows.lines.find(visit.user.id, dialog.subject_id) is None:
            return None
        if len(words) > LONGEST_OWN:
            await visit.rows.dialogs.await_(visit.user.id, dialog)
            return OwnWordWanted(dialog.subject_id, too_long=True)
        result = await self._add(visit, Feeling(own=words), dialog.subject_id)
        if isinstance(result, Kept):
            await hide_decided(visit, message_id)
        return result

    async def _add(self, visit: Visit, feeling: Feeling, line_id: int) -> Result:
        line = await visit.rows.lines.find(visit.user.id, line_id)
        if line is None:
            return LineGone()
        feelings = added(await visit.rows.lines.feelings(visit.user.id, line.id), feeling)
        if feelings is None:
            return ShelfFull(line.id)
        await visit.rows.lines.set_feelings(line, feelings)
        return await kept(visit.rows, line)

    # Words for screens

    async def read_shelf(self, visit: Visit, result: ShelfShown) -> Mapping[str, str]:
        feelings = await visit.rows.lines.feelings(visit.user.id, result.line_id)
        written = (await visit.rows.lines.words_of(visit.user.id, [result.line_id])).get(result.line_id, "")
        return {"feelings": pack(feelings), "boards": " ".join(self._hints.nearest(visit.user.language, written))}

    async def read_words(self, visit: Visit, _: WordsShown) -> Mapping[str, str]:
        found = await visit.rows.lines.feelings_since(visit.user.id, visit.now - LOOKS_BACK)
        return {"feelings": pack(distinct(feeling for _, feelings in found for feeling in feelings))}
