"""Responding to an opened Reflection: chosen or typed, previewed, and held for half a minute after the yes.

A Response doesn't touch the sharer's rows before it goes out, so one that was undone leaves no trace there.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from bot.domain.content import ELLIPSIS, Stem
from bot.domain.model import Dialog, Draft, DraftReason, Waiting
from bot.domain.notices import Notice, NoticeKind
from bot.domain.results import NothingHere, NotPaired, Result, SetAside, SharingEnded, Silence
from bot.domain.results.answering import (
    AlreadyAnswered,
    Answered,
    QuestionKept,
    QuestionLeft,
    QuestionReminder,
    QuestionsShown,
    ReactionStays,
    ReplyDropped,
    ReplyPreview,
    ReplyTooLong,
    ReplyWanted,
    UndoneTooLate,
)
from bot.domain.sharing import QUESTIONS, REACTIONS, UNDO_FOR, Move, Opening, Reflection, Response, ResponseKind, State
from bot.domain.times import local_date, tomorrow_early_evening
from bot.domain.typed import LINE_LIMIT
from bot.domain.undecided import Waits
from bot.i18n import say_in
from bot.library import Library
from bot.services.lines import PATIENCE, Typed, set_aside_unsent
from bot.services.names import name_of
from bot.services.openings import looks_answerable
from bot.services.pairing import explain_no_pair
from bot.services.receiving import Receiving
from bot.services.traces import hide_decided
from bot.services.undecided import AskAgain
from bot.services.visit import NoticeHandlers, Visit
from bot.storage.ids import timeless_id


class Answering:
    """The receiver's use cases once a Reflection is open."""

    def __init__(self, library: Library, receiving: Receiving) -> None:
        self._library = library
        self._receiving = receiving
        self.typed: Final[dict[Waiting, Typed]] = {Waiting.REPLY: self._typed_reply}
        self.notice_handlers: NoticeHandlers = {NoticeKind.RESPONSE_DUE: self.go_out, NoticeKind.QUESTION: self.remind}
        self.ask_again: Final[dict[Waits, AskAgain]] = {Waits.RESPONSE: self.preview}

    # --- choosing and typing ------------------------------------------------------------------------------------------

    async def answer(self, visit: Visit, answer: ResponseKind, reflection_id: int) -> Result:
        """Preview one of the ready-made Responses, or wait for a line of the receiver's own."""
        found = await self._opened(visit, reflection_id)
        if not isinstance(found, Reflection):
            return found
        if answer is ResponseKind.LINE:
            return await self._await_line(visit, found)
        response = Response(timeless_id(), found.id, visit.user.id, answer)
        await visit.rows.responses.add(response)
        return ReplyPreview(response.id, found.id, answer=answer, beside=True)

    async def stem(self, visit: Visit, stem_id: str, reflection_id: int) -> Result:
        """Let the receiver finish this Stem."""
        found = await self._opened(visit, reflection_id)
        if not isinstance(found, Reflection):
            return found
        return await self._await_line(visit, found, self._stem(stem_id))

    async def again(self, visit: Visit, draft_id: int, stem_id: str) -> Result:
        """Wait for a line in place of this Draft, which is dropped once there is one."""
        draft = await visit.rows.drafts.find(visit.user.id, draft_id)
        if draft is None or draft.reflection_id is None:
            return NothingHere()
        found = await self._opened(visit, draft.reflection_id)
        if not isinstance(found, Reflection):
            return found
        return await self._await_line(visit, found, self._stem(stem_id), instead_of=draft)

    async def questions(self, visit: Visit, reflection_id: int) -> Result:
        """Show the curious questions, for another day."""
        found = await self._opened(visit, reflection_id)
        return QuestionsShown(found.id) if isinstance(found, Reflection) else found

    async def _await_line(
        self, visit: Visit, found: Reflection, stem: Stem | None = None, *, instead_of: Draft | None = None
    ) -> Result:
        stem_id, message_id = stem.id if stem else "", instead_of.message_id if instead_of else None
        awaited = Dialog(Waiting.REPLY, found.id, visit.now + PATIENCE, message_id, stem_id)
        await visit.rows.dialogs.await_(visit.user.id, awaited)
        return ReplyWanted(found.id, found.wish or "", stem_id)

    async def _typed_reply(self, visit: Visit, dialog: Dialog, words: str, message_id: int) -> Result | None:
        found = await self._opened(visit, dialog.subject_id)
        if not isinstance(found, Reflection):
            return await set_aside_unsent(visit, words, message_id, found)
        stem = self._stem(dialog.detail)
        line = _finished(say_in(visit.user.language).title(stem.text), words) if stem else words
        draft_id = None
        if visit.user.discreet:  # what asks about it goes, and the text must be reachable all the same
            draft = Draft(0, visit.user.id, DraftReason.REPLY, line, message_id, reflection_id=found.id)
            draft_id = (await visit.rows.drafts.set_aside(draft, visit.now)).id
        if len(line) > LINE_LIMIT:
            await visit.rows.dialogs.await_(visit.user.id, replace(dialog, expires_at=visit.now + PATIENCE))
            return ReplyTooLong(found.id, draft_id)
        response = Response(timeless_id(), found.id, visit.user.id, ResponseKind.LINE)
        await visit.rows.responses.add(response, line)
        return ReplyPreview(response.id, found.id, draft_id, stem=stem.id if stem else "")

    async def send_draft(self, visit: Visit, draft_id: int) -> Result:
        """Send a Draft to the partner. A text is previewed first; the offer has already shown a reaction."""
        draft = await visit.rows.drafts.find(visit.user.id, draft_id)
        if draft is None or draft.reflection_id is None:
            return NothingHere()
        found = await self._opened(visit, draft.reflection_id)
        if not isinstance(found, Reflection):
            return replace(found, beside=True) if isinstance(found, SharingEnded | NotPaired) else found
        if len(draft.text) > LINE_LIMIT:
            await visit.rows.dialogs.await_(visit.user.id, Dialog(Waiting.REPLY, found.id, visit.now + PATIENCE))
            return ReplyTooLong(found.id, draft.id)
        response = Response(timeless_id(), found.id, visit.user.id, ResponseKind.LINE)
        await visit.rows.responses.add(response, draft.text)
        if draft.reason is not DraftReason.REACTION:
            return ReplyPreview(response.id, found.id, draft.id)
        await visit.rows.drafts.drop(draft)
        return await self._send(visit, found, response)

    async def reacted(self, visit: Visit, message_id: int, emoji: str | None) -> Result:
        """Handle a reaction added to a message or removed. Under an opened Reflection, offer to send it."""
        opened = await visit.rows.openings.shown_by(visit.user.id, message_id)
        before = await visit.rows.drafts.from_message(visit.user.id, message_id)
        if before:
            await visit.rows.drafts.drop(before)
        stale = (before.card_id,) if before and before.card_id else ()
        if opened is None or emoji not in REACTIONS or not await looks_answerable(visit.rows, opened):
            return Silence(stale=stale)
        if opened.answered:
            return ReactionStays(stale=stale)
        draft = Draft(0, visit.user.id, DraftReason.REACTION, emoji, message_id, reflection_id=opened.reflection_id)
        draft = await visit.rows.drafts.set_aside(draft, visit.now)
        return SetAside(draft.id, draft.reason, stale=stale)

    # --- sending, and undoing it --------------------------------------------------------------------------------------

    async def send_reply(self, visit: Visit, response_id: int, draft_id: int | None) -> Result:
        """Send the previewed Response half a minute from now. A Draft that it came from is settled with it."""
        response = await visit.rows.responses.mine(visit.user.id, response_id)
        draft = await visit.rows.drafts.find(visit.user.id, draft_id) if draft_id else None
        if response is None or (draft_id and draft is None):  # another one has replaced it, or it was dropped
            return NothingHere()
        found = await self._opened(visit, response.reflection_id)
        if not isinstance(found, Reflection):
            return found
        sent = await self._send(visit, found, response)
        if draft and isinstance(sent, Answered):
            await visit.rows.drafts.drop(draft)
            await hide_decided(visit, draft.message_id)
        return sent

    async def _send(self, visit: Visit, found: Reflection, response: Response) -> Result:
        """Schedule a Response, of which a Reflection can have only one."""
        if await visit.rows.openings.find(visit.user.id, found.id) is None:  # opened before openings were noted
            opened_at = found.opened_at or visit.now
            await visit.rows.openings.add(Opening(visit.user.id, found.id, found.pair_id, opened_at))
        if not await visit.rows.openings.answer(visit.user.id, found.id):
            return AlreadyAnswered()
        await visit.rows.dialogs.forget(visit.user.id, only=(Waiting.REPLY,))  # the next text isn't meant as a Response
        due_at = visit.now + UNDO_FOR
        await visit.rows.notices.add([(visit.user.id, NoticeKind.RESPONSE_DUE, response.id, due_at)], visit.now)
        return Answered(response.answer, response.id)

    async def go_out(self, visit: Visit, notice: Notice) -> Result | None:
        """Send a Response to the sharer if the two are still a Pair. Says nothing to the receiver."""
        response = await visit.rows.responses.mine(visit.user.id, notice.subject_id)
        if response is None or response.sent_at:
            return None
        found = await visit.rows.reflections.theirs(visit.user.id, response.reflection_id)
        if found is None or not await visit.rows.pairs.find(visit.user.id, found.pair_id):
            return None
        if await visit.rows.reflections.move(found, Move.ANSWER) is None:
            return None
        await visit.rows.responses.send(response, visit.now)
        to_sharer = (found.user_id, NoticeKind.RESPONSE, response.id, visit.now)
        await visit.rows.notices.add([to_sharer], visit.now)
        return None

    async def undo(self, visit: Visit, response_id: int) -> Result:
        """Take a Response back before it goes out, and preview it again, whatever the sharer has done meanwhile."""
        response = await visit.rows.responses.mine(visit.user.id, response_id)
        if response and await visit.rows.notices.cancel(NoticeKind.RESPONSE_DUE, response.id, visit.now):
            await visit.rows.openings.unanswer(visit.user.id, response.reflection_id)
            return ReplyPreview(response.id, response.reflection_id, answer=response.answer)
        if await visit.rows.pairs.active(visit.user.id) is None:
            return await explain_no_pair(visit.rows, visit.user, beside=True)
        if response and isinstance(await self._opened(visit, response.reflection_id), Reflection):  # undone before
            return ReplyPreview(response.id, response.reflection_id, answer=response.answer)
        return UndoneTooLate() if response else NothingHere()

    async def preview(self, visit: Visit, reflection_id: int) -> Result:
        """Preview the Response to this Reflection again."""
        found = await self._opened(visit, reflection_id)
        if not isinstance(found, Reflection):
            return found
        response = await visit.rows.responses.unsent(visit.user.id, found.id)
        if response is None:
            return NothingHere()
        return ReplyPreview(response.id, found.id, answer=response.answer)

    async def undo_all(self, visit: Visit) -> None:
        """Take back every Response of this user that hasn't gone out."""
        for response_id in await visit.rows.notices.cancel_of(visit.user.id, NoticeKind.RESPONSE_DUE, visit.now):
            if response := await visit.rows.responses.mine(visit.user.id, response_id):
                await visit.rows.openings.unanswer(visit.user.id, response.reflection_id)

    async def drop_reply(self, visit: Visit, response_id: int, draft_id: int | None) -> Result:
        """Drop the Response. A Draft that it came from goes on waiting for its writer to decide."""
        response = await visit.rows.responses.mine(visit.user.id, response_id)
        draft = await visit.rows.drafts.find(visit.user.id, draft_id) if draft_id else None
        if response is None:
            return SetAside(draft.id, draft.reason) if draft else NothingHere()
        if await self._is_answered(visit, response.reflection_id):
            return AlreadyAnswered()
        await visit.rows.dialogs.forget(visit.user.id, only=(Waiting.REPLY,))
        await visit.rows.responses.drop(response)
        if draft and draft.reason is DraftReason.REPLY:
            await visit.rows.drafts.drop(draft)
            await hide_decided(visit, draft.message_id)
            return ReplyDropped()
        return SetAside(draft.id, draft.reason) if draft else ReplyDropped()

    # --- a question for another day -----------------------------------------------------------------------------------

    async def keep_question(self, visit: Visit, response_id: int) -> Result:
        """Keep a question for the receiver to ask in person. The sharer never learns of it.

        It keeps the id of the Response that it was going to be, so that a second tap finds it.
        """
        due_at = await visit.rows.questions.due_at(visit.user.id, response_id)
        if due_at and due_at > visit.now:
            return QuestionKept(response_id, due_at)
        response = await visit.rows.responses.mine(visit.user.id, response_id)
        if response is None and await visit.rows.pairs.active(visit.user.id) is None:
            return await explain_no_pair(visit.rows, visit.user, beside=True)
        if response is None or response.answer not in QUESTIONS:
            return NothingHere()
        if await self._is_answered(visit, response.reflection_id):
            return AlreadyAnswered()
        await visit.rows.responses.drop(response)
        due_at = tomorrow_early_evening(visit.now, visit.zone)
        await visit.rows.questions.keep(visit.user.id, response.id, response.answer, due_at)
        await visit.rows.notices.add([(visit.user.id, NoticeKind.QUESTION, response.id, due_at)], visit.now)
        return QuestionKept(response.id, due_at)

    async def leave_question(self, visit: Visit, question_id: int) -> Result:
        await visit.rows.questions.drop(visit.user.id, question_id)
        await visit.rows.notices.cancel(NoticeKind.QUESTION, question_id, visit.now)
        return QuestionLeft()

    async def remind(self, visit: Visit, notice: Notice) -> Result | None:
        """Remind the receiver of a kept question, even after the Pair has ended, which silence would reveal."""
        found = await visit.rows.questions.find(visit.user.id, notice.subject_id)
        return QuestionReminder(notice.subject_id) if found else None

    # --- words for screens --------------------------------------------------------------------------------------------

    async def read_reply(self, visit: Visit, result: ReplyPreview) -> Mapping[str, str]:
        response = await visit.rows.responses.mine(visit.user.id, result.response_id)
        words = await visit.rows.responses.words(response) if response else None
        own = await name_of(visit.rows, visit.user.id)
        return {**await self._receiving.read_name_of(visit, result), "own": own, "answer": words or ""}

    async def read_length(self, visit: Visit, result: ReplyTooLong) -> Mapping[str, str]:
        draft = await visit.rows.drafts.find(visit.user.id, result.draft_id) if result.draft_id else None
        return {"length": str(len(draft.text))} if draft else {}

    async def read_question(self, visit: Visit, result: QuestionReminder) -> Mapping[str, str]:
        """Return the question and the local date on which it was kept.

        Nothing of the partner is named, as that would change when they leave or erase.
        """
        question = await visit.rows.questions.find(visit.user.id, result.question_id)
        due_at = await visit.rows.questions.due_at(visit.user.id, result.question_id)
        if question is None or due_at is None:
            return {}
        return {"question": question, "kept_on": f"{local_date(due_at, visit.zone) - timedelta(days=1)}"}

    # --- inside -------------------------------------------------------------------------------------------------------

    def _stem(self, stem_id: str) -> Stem | None:
        return next((stem for stem in self._library.stems if stem.id == stem_id), None)

    async def _opened(self, visit: Visit, reflection_id: int) -> Reflection | Result:
        """Return the Reflection if this user has opened it and not answered yet; otherwise what to say instead."""
        found = await self._receiving.theirs(visit, reflection_id)
        if not isinstance(found, Reflection):
            return found
        if found.state is State.ANSWERED or await self._is_answered(visit, reflection_id):
            return AlreadyAnswered()
        return found if found.state is State.OPENED else NothingHere()

    async def _is_answered(self, visit: Visit, reflection_id: int) -> bool:
        opened = await visit.rows.openings.find(visit.user.id, reflection_id)
        return opened is not None and opened.answered


def _finished(stem: str, words: str) -> str:
    """Return the finished Stem. If somebody typed its beginning as well, it isn't repeated."""
    beginning = stem.removesuffix(ELLIPSIS).rstrip()
    if words.casefold().startswith(beginning.casefold()):
        return words
    return f"{beginning} {words.removeprefix(ELLIPSIS).lstrip()}"
