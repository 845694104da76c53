"""The sharer's one-line answer to a curious question. After that, the two can talk in person."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from bot.domain.model import Dialog, Waiting
from bot.domain.notices import Notice, NoticeKind
from bot.domain.results import NothingHere, Result
from bot.domain.results.answering import AlreadyAnswered, ReplyDropped, UndoneTooLate
from bot.domain.results.follow_ups import FollowUpPreview, FollowUpReceived, FollowUpSent, FollowUpWanted
from bot.domain.sharing import QUESTIONS, UNDO_FOR, FollowUp, Response
from bot.domain.typed import LINE_LIMIT
from bot.domain.undecided import Waits
from bot.services.lines import PATIENCE, Typed, set_aside_too_long, set_aside_unsent
from bot.services.names import name_of, read_partner_name
from bot.services.pairing import explain_no_pair
from bot.services.undecided import AskAgain
from bot.services.visit import NoticeHandlers, Visit
from bot.storage.ids import timeless_id


class FollowUps:
    """The use cases of both: the sharer writes, previews and undoes; the receiver who asked reads."""

    def __init__(self) -> None:
        self.typed: Final[dict[Waiting, Typed]] = {Waiting.FOLLOW_UP: self._typed}
        self.notice_handlers: NoticeHandlers = {
            NoticeKind.FOLLOW_UP_DUE: self.go_out,
            NoticeKind.FOLLOW_UP: self.tell_receiver,
        }
        self.ask_again: Final[dict[Waits, AskAgain]] = {Waits.FOLLOW_UP: self.preview}

    async def want(self, visit: Visit, response_id: int) -> Result:
        """Ask the sharer for the line."""
        found = await self._asked(visit, response_id)
        if not isinstance(found, Response):
            return found
        await visit.rows.dialogs.await_(visit.user.id, Dialog(Waiting.FOLLOW_UP, found.id, visit.now + PATIENCE))
        return FollowUpWanted(found.id)

    async def _typed(self, visit: Visit, dialog: Dialog, words: str, message_id: int) -> Result | None:
        found = await self._asked(visit, dialog.subject_id)
        if not isinstance(found, Response):
            return await set_aside_unsent(visit, words, message_id, found)
        if len(words) > LINE_LIMIT:
            await visit.rows.dialogs.await_(visit.user.id, replace(dialog, expires_at=visit.now + PATIENCE))
            draft_id = await set_aside_too_long(visit, words, message_id)
            return FollowUpWanted(found.id, too_long=True, draft_id=draft_id)
        follow_up = FollowUp(timeless_id(), found.id, visit.user.id)
        await visit.rows.follow_ups.add(follow_up, found.user_id, words)
        return FollowUpPreview(follow_up.id, found.id)

    async def preview(self, visit: Visit, response_id: int) -> Result:
        """Preview the Follow-up to this Response again."""
        found = await self._asked(visit, response_id)
        if not isinstance(found, Response):
            return found
        follow_up = await visit.rows.follow_ups.to(found.id)
        return FollowUpPreview(follow_up.id, found.id) if follow_up else NothingHere()

    async def send(self, visit: Visit, follow_up_id: int) -> Result:
        """Send the previewed Follow-up half a minute from now."""
        follow_up = await visit.rows.follow_ups.mine(visit.user.id, follow_up_id)
        if follow_up is None:  # another one has replaced it, or it was dropped
            return NothingHere()
        found = await self._asked(visit, follow_up.response_id)
        if not isinstance(found, Response):
            return found
        if not await visit.rows.follow_ups.say_yes(follow_up, visit.now):
            return AlreadyAnswered()
        await visit.rows.dialogs.forget(visit.user.id, only=(Waiting.FOLLOW_UP,))  # the next text is a Line again
        due_at = visit.now + UNDO_FOR
        await visit.rows.notices.add([(visit.user.id, NoticeKind.FOLLOW_UP_DUE, follow_up.id, due_at)], visit.now)
        return FollowUpSent(follow_up.id)

    async def go_out(self, visit: Visit, notice: Notice) -> Result | None:
        """Send it to the receiver if the two are still a Pair. Says nothing to the sharer."""
        follow_up = await visit.rows.follow_ups.mine(visit.user.id, notice.subject_id)
        if follow_up is None or follow_up.said_yes_at is None or follow_up.sent_at:
            return None
        response = await visit.rows.responses.theirs(visit.user.id, follow_up.response_id)
        if response is None or not await self._are_pair(visit, response):
            return None
        await visit.rows.follow_ups.send(follow_up, visit.now)
        to_receiver = (response.user_id, NoticeKind.FOLLOW_UP, follow_up.id, visit.now)
        await visit.rows.notices.add([to_receiver], visit.now)
        return None

    async def undo(self, visit: Visit, follow_up_id: int) -> Result:
        """Take it back before it goes out, and preview it again, whatever the receiver has done meanwhile."""
        follow_up = await visit.rows.follow_ups.mine(visit.user.id, follow_up_id)
        if follow_up and await visit.rows.notices.cancel(NoticeKind.FOLLOW_UP_DUE, follow_up.id, visit.now):
            await visit.rows.follow_ups.say_yes(follow_up, None)
            return FollowUpPreview(follow_up.id, follow_up.response_id)
        if await visit.rows.pairs.active(visit.user.id) is None:
            return await explain_no_pair(visit.rows, visit.user, beside=True)
        if follow_up and isinstance(await self._asked(visit, follow_up.response_id), Response):  # undone before
            return FollowUpPreview(follow_up.id, follow_up.response_id)
        return UndoneTooLate() if follow_up else NothingHere()

    async def undo_all(self, visit: Visit) -> None:
        """Take back every Follow-up of this user that hasn't gone out."""
        for follow_up_id in await visit.rows.notices.cancel_of(visit.user.id, NoticeKind.FOLLOW_UP_DUE, visit.now):
            if follow_up := await visit.rows.follow_ups.mine(visit.user.id, follow_up_id):
                await visit.rows.follow_ups.say_yes(follow_up, None)

    async def drop(self, visit: Visit, follow_up_id: int) -> Result:
        """Drop the Follow-up."""
        follow_up = await visit.rows.follow_ups.mine(visit.user.id, follow_up_id)
        if follow_up is None:
            return NothingHere()
        if follow_up.said_yes_at:
            return AlreadyAnswered()
        await visit.rows.dialogs.forget(visit.user.id, only=(Waiting.FOLLOW_UP,))
        await visit.rows.follow_ups.drop(follow_up)
        return ReplyDropped()

    async def tell_receiver(self, visit: Visit, notice: Notice) -> Result | None:
        """Show the receiver the answer to their question. None once the Pair has ended."""
        follow_up = await visit.rows.follow_ups.theirs(visit.user.id, notice.subject_id)
        response = await visit.rows.responses.mine(visit.user.id, follow_up.response_id) if follow_up else None
        if follow_up is None or response is None or not await self._are_pair(visit, response):
            return None
        return FollowUpReceived(follow_up.id, response.answer)

    # --- words for screens --------------------------------------------------------------------------------------------

    async def read_own(self, visit: Visit, result: FollowUpPreview) -> Mapping[str, str]:
        follow_up = await visit.rows.follow_ups.mine(visit.user.id, result.follow_up_id)
        words = await visit.rows.follow_ups.words(follow_up) if follow_up else None
        return {**await read_partner_name(visit, result), "words": words or ""}

    async def read_theirs(self, visit: Visit, result: FollowUpReceived) -> Mapping[str, str]:
        """Read the words, unless the Pair has ended before they could be shown."""
        follow_up = await visit.rows.follow_ups.theirs(visit.user.id, result.follow_up_id)
        response = await visit.rows.responses.mine(visit.user.id, follow_up.response_id) if follow_up else None
        if follow_up is None or response is None or not await self._are_pair(visit, response):
            return {}
        words = await visit.rows.follow_ups.words(follow_up)
        return {"name": await name_of(visit.rows, follow_up.user_id), "words": words or ""}

    # --- inside -------------------------------------------------------------------------------------------------------

    async def _asked(self, visit: Visit, response_id: int) -> Response | Result:
        """Return the Response with a question that this sharer hasn't answered yet, or what to say instead."""
        if await visit.rows.pairs.active(visit.user.id) is None:
            return await explain_no_pair(visit.rows, visit.user, beside=True)
        response = await visit.rows.responses.theirs(visit.user.id, response_id)
        if response is None or response.answer not in QUESTIONS or not await self._are_pair(visit, response):
            return NothingHere()
        before = await visit.rows.follow_ups.to(response.id)
        return AlreadyAnswered() if before and before.said_yes_at else response

    async def _are_pair(self, visit: Visit, response: Response) -> bool:
        """Return whether the Pair in which the Response was sent still exists."""
        reflection = await visit.rows.reflections.any(response.reflection_id)
        return bool(reflection and await visit.rows.pairs.find(visit.user.id, reflection.pair_id))
