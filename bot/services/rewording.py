"""Rewording: other words for the partner than those of the Line, which itself stays as it is."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from bot.domain.model import Dialog, User, Waiting
from bot.domain.results import Result
from bot.domain.results.sharing import (
    Reworded,
    RewordPreview,
    RewordTooLong,
    RewordWanted,
    SharePreview,
)
from bot.domain.sharing import Reflection, State, after_rewording
from bot.domain.typed import LINE_LIMIT
from bot.services.lines import PATIENCE, Typed
from bot.services.names import name_of
from bot.services.sharing import Sharing
from bot.storage.store import Rows


class Rewording:
    """Use cases of the sharer around other words. `rows` is the transaction they happen in."""

    def __init__(self, sharing: Sharing) -> None:
        self._sharing = sharing
        self.typed: Final[dict[Waiting, Typed]] = {Waiting.REWORD: self._typed_words}
        self.readers: Final[dict[type[Result], Any]] = {
            Reworded: sharing.read,
            RewordWanted: sharing.read,
            RewordPreview: self._read_proposed,
        }

    async def reword(self, rows: Rows, user: User, reflection_id: int, now: datetime) -> Result:
        """Type other words for the partner, until its time; the Line stays as it is."""
        found = await self._sharing.changeable(rows, user, reflection_id, now)
        if not isinstance(found, Reflection):
            return found
        await rows.dialogs.await_(user.id, Dialog(Waiting.REWORD, found.id, now + PATIENCE))
        return RewordWanted(found.id)

    async def use_words(
        self, rows: Rows, user: User, reflection_id: int, message_id: int | None, now: datetime
    ) -> Result:
        """The other words go out, after a cool-off of their own.

        `message_id` is the message whose words were previewed: where others wait by now, those are shown first.
        """
        found = await self._sharing.changeable(rows, user, reflection_id, now)
        if not isinstance(found, Reflection):
            return found
        if found.due_at is None or await rows.reflections.proposed(found) is None:
            return await self._sharing.show(rows, user, found.id, now)
        proposed_by = await rows.reflections.proposed_by(found)
        if proposed_by != message_id:
            return RewordPreview(found.id, proposed_by)
        due_at = after_rewording(found.due_at, found.depth, now)
        if not await rows.reflections.use_proposed(found, due_at):
            return await self._sharing.show(rows, user, found.id, now)
        if due_at != found.due_at:
            await self._sharing.announce_at(rows, found, due_at, now)
        return Reworded(found.id, due_at)

    async def _typed_words(
        self, rows: Rows, user: User, dialog: Dialog, words: str, message_id: int, now: datetime
    ) -> Result | None:
        found = await self._sharing.changeable(rows, user, dialog.subject_id, now)
        if not isinstance(found, Reflection):
            return found
        if len(words) > LINE_LIMIT:
            await rows.dialogs.await_(user.id, Dialog(Waiting.REWORD, found.id, now + PATIENCE))
            return RewordTooLong(found.id)
        if found.state is State.DRAFTED:
            return SharePreview((await self._sharing.redraft(rows, found, words, now)).id)
        await rows.reflections.propose(found, words, message_id)
        return RewordPreview(found.id, message_id)

    async def _read_proposed(self, rows: Rows, user: User, result: RewordPreview) -> Mapping[str, str]:
        reflection = await rows.reflections.mine(user.id, result.reflection_id)
        words = await rows.reflections.proposed(reflection) if reflection else None
        return {"words": words or "", "name": await name_of(rows, reflection.partner_id) if reflection else ""}
