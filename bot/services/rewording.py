"""Rewording: giving the partner other words than the Line's; the Line itself stays as it is."""

from collections.abc import Mapping
from typing import Final

from bot.domain.model import Dialog, Waiting
from bot.domain.notices import NoticeKind
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
from bot.domain.undecided import Waits
from bot.services.lines import PATIENCE, Typed, set_aside_too_long, set_aside_unsent
from bot.services.names import name_of
from bot.services.sharing import Sharing
from bot.services.undecided import AskAgain
from bot.services.visit import Visit


class Rewording:
    """The sharer's use cases around other words."""

    def __init__(self, sharing: Sharing) -> None:
        self._sharing = sharing
        self.typed: Final[dict[Waiting, Typed]] = {Waiting.REWORD: self._typed_words}
        self.ask_again: Final[dict[Waits, AskAgain]] = {Waits.REWORDING: self.preview}

    async def reword(self, visit: Visit, reflection_id: int) -> Result:
        """Let the sharer type other words for the partner, until the Reflection's time; the Line stays as it is."""
        found = await self._sharing.changeable(visit, reflection_id)
        if not isinstance(found, Reflection):
            return found
        await visit.rows.dialogs.await_(visit.user.id, Dialog(Waiting.REWORD, found.id, visit.now + PATIENCE))
        return RewordWanted(found.id)

    async def add_named(self, visit: Visit, reflection_id: int) -> Result:
        """Include the words that the sharer has added to the Line, which only this tap does, and preview the result.

        It stays the same draft, as the sharer sees its words again before it can go out.
        """
        found = await self._sharing.changeable(visit, reflection_id)
        if not isinstance(found, Reflection):
            return found
        words = await visit.rows.reflections.words(found) or ""
        named = await self._sharing.named(visit, found)
        longer = f"{words} {named}"
        if found.state is not State.DRAFTED or not named or words.endswith(named) or len(longer) > LINE_LIMIT:
            return await self._sharing.show(visit, found.id)
        await visit.rows.reflections.set_words(found, longer)
        return SharePreview(found.id, here=True)

    async def confirm(self, visit: Visit, reflection_id: int, message_id: int | None) -> Result:
        """Take the second yes to other words that sound alarming."""
        return await self.use_words(visit, reflection_id, message_id, is_sure=True)

    async def use_words(
        self, visit: Visit, reflection_id: int, message_id: int | None, *, is_sure: bool = False
    ) -> Result:
        """Send the other words, after a cool-off of their own.

        `message_id` is the message whose words were previewed. If newer words wait by now, we preview those first.
        """
        found = await self._sharing.changeable(visit, reflection_id)
        if not isinstance(found, Reflection):
            return found
        proposed = await visit.rows.reflections.proposed(found)
        if found.due_at is None or proposed is None:
            return await self._sharing.show(visit, found.id)
        proposed_by = await visit.rows.reflections.proposed_by(found)
        if proposed_by != message_id:
            return RewordPreview(found.id, proposed_by)
        due_at = after_rewording(found.due_at, found.depth, visit.now)
        if not is_sure and await self._sharing.wants_second_yes(visit.rows, found, proposed):
            return Reworded(found.id, due_at)
        if not await visit.rows.reflections.use_proposed(found, due_at):
            return await self._sharing.show(visit, found.id)
        if due_at != found.due_at:
            notices = visit.rows.notices
            await notices.reschedule(found.partner_id, NoticeKind.REFLECTION, found.id, due_at, visit.now)
        return Reworded(found.id, due_at)

    async def preview(self, visit: Visit, reflection_id: int) -> Result:
        """Preview the other words again, or show what has become of the Reflection."""
        found = await self._sharing.changeable(visit, reflection_id)
        proposed_by = await visit.rows.reflections.proposed_by(found) if isinstance(found, Reflection) else None
        if proposed_by:
            return RewordPreview(reflection_id, proposed_by)
        return await self._sharing.show(visit, reflection_id)

    async def _typed_words(self, visit: Visit, dialog: Dialog, words: str, message_id: int) -> Result | None:
        found = await self._sharing.changeable(visit, dialog.subject_id)
        if not isinstance(found, Reflection):
            return await set_aside_unsent(visit, words, message_id, found)
        if len(words) > LINE_LIMIT:
            await visit.rows.dialogs.await_(visit.user.id, Dialog(Waiting.REWORD, found.id, visit.now + PATIENCE))
            return RewordTooLong(found.id, await set_aside_too_long(visit, words, message_id))
        if found.state is State.DRAFTED:
            return SharePreview((await self._sharing.redraft(visit.rows, found, words, visit.now)).id, reworded=True)
        await visit.rows.reflections.propose(found, words, message_id)
        return RewordPreview(found.id, message_id)

    async def read_reworded(self, visit: Visit, result: Reworded) -> Mapping[str, str]:
        """Read the words, and whether other words wait for a second yes, which the Result doesn't say."""
        found = await visit.rows.reflections.mine(visit.user.id, result.reflection_id)
        if found is None:
            return {}
        words = await self._sharing.read_all(visit, found)
        proposed = await visit.rows.reflections.proposed(found)
        if proposed is None or not await self._sharing.wants_second_yes(visit.rows, found, proposed):
            return words
        by = await visit.rows.reflections.proposed_by(found)
        return {**words, "words": proposed, "unsure": str(by or 0)}

    async def read_proposed(self, visit: Visit, result: RewordPreview) -> Mapping[str, str]:
        reflection = await visit.rows.reflections.mine(visit.user.id, result.reflection_id)
        words = await visit.rows.reflections.proposed(reflection) if reflection else None
        return {"words": words or "", "name": await name_of(visit.rows, reflection.partner_id) if reflection else ""}
