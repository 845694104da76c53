"""Noticing: one line about something that the partner did or carried.

It is a Line like any other, so it is private until it is given, either singly by sharing it or as a line of the week at
the Ritual. We don't count who notices more.
"""

from typing import Final

from bot.domain.model import Dialog, Line, Waiting
from bot.domain.results import Kept, Result
from bot.domain.results.noticing import NoticedWanted
from bot.domain.times import local_date
from bot.domain.typed import LINE_LIMIT
from bot.services.lines import PATIENCE, Typed, set_aside_too_long
from bot.services.pairing import explain_no_pair
from bot.services.traces import hide_decided
from bot.services.visit import Visit
from bot.storage.ids import timeless_id


class Noticing:
    """The use cases of /noticed."""

    def __init__(self) -> None:
        self.typed: Final[dict[Waiting, Typed]] = {Waiting.NOTICED: self._typed}

    async def want(self, visit: Visit) -> Result:
        """Ask for the line."""
        if await visit.rows.pairs.active(visit.user.id) is None:
            return await explain_no_pair(visit.rows, visit.user)
        await visit.rows.dialogs.await_(visit.user.id, Dialog(Waiting.NOTICED, 0, visit.now + PATIENCE))
        return NoticedWanted()

    async def _typed(self, visit: Visit, dialog: Dialog, words: str, message_id: int) -> Result | None:
        if len(words) > LINE_LIMIT:
            await visit.rows.dialogs.await_(visit.user.id, dialog)
            return NoticedWanted(too_long=True, draft_id=await set_aside_too_long(visit, words, message_id))
        line = Line(timeless_id(), visit.user.id, local_date(visit.now, visit.zone), None, message_id, noticed=True)
        await visit.rows.lines.keep(line, words, prompt_id=None, now=visit.now)
        await hide_decided(visit, message_id)
        return Kept(line.id, may_share=await visit.rows.pairs.looks_active_to(visit.user.id))
