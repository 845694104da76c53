"""Lines: keeping, changing and deleting them; and Drafts, which wait for their writer to decide."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from bot.domain.feelings import pack
from bot.domain.model import Ask, AskOpening, AskState, Dialog, Draft, DraftReason, Line, Step, User, Waiting
from bot.domain.notices import NoticeKind
from bot.domain.results import (
    Asked,
    CalledBack,
    Changed,
    ChangeWanted,
    Deleted,
    DeleteWanted,
    Dropped,
    EmptyText,
    Kept,
    LineDiffers,
    LineGone,
    NothingKept,
    Outdated,
    Result,
    SetAside,
    SharingEnded,
    ShorterWanted,
    Silence,
)
from bot.domain.results.answering import ReplyDropped
from bot.domain.results.base import Preface
from bot.domain.sharing import Opening
from bot.domain.times import local_date
from bot.domain.typed import LINE_LIMIT, first_300, fold_line
from bot.domain.undecided import Waits
from bot.services.names import name_of
from bot.services.openings import looks_answerable, opened_lately
from bot.services.traces import hide_decided
from bot.services.undecided import AskAgain
from bot.services.visit import Visit
from bot.storage.ids import timeless_id
from bot.storage.store import Rows

PATIENCE: Final = timedelta(hours=1)
"""For how long we take the next text as the one we asked for."""
_IN_SIGHT: Final = timedelta(minutes=10)
"""How long we assume that choices are still on the screen after a text about something else."""
OPEN_FOR: Final = timedelta(hours=48)
"""For how long we take a text without any other hint as the answer to the last question."""
DRAFTS_KEPT: Final = timedelta(days=7)
_OTHER_WORDS: Final = (Waiting.CHANGE, Waiting.SHORTER)

Typed = Callable[[Visit, Dialog, str, int], Awaitable[Result | None]]
"""Takes an awaited text, folded into one line, and its message's id; returns None if it was meant as something else."""

Recognize = Callable[[Visit, str, int], Awaitable[Result | None]]
"""Takes an unexpected text and its message's id; returns None unless it is something like an Invite's code."""

AskedAs = Callable[[Visit, Draft], Awaitable[Result | None]]
"""Asks again about a Draft that may be something else than a Line, like an Invite's code; None if it can't be."""

OnAnswered = Callable[[Visit, Ask], Awaitable[None]]
"""Called when an Ask is answered for the first time."""


class Lines:
    """Use cases around Lines."""

    def __init__(
        self,
        typed: Mapping[Waiting, Typed] | None = None,
        recognize: Recognize | None = None,
        asked_as: AskedAs | None = None,
        on_answered: OnAnswered | None = None,
    ) -> None:
        """`typed` takes the texts that other services wait for, `recognize` those that aren't Lines at all.

        `asked_as` asks again about the latter.
        """
        self._typed = typed or {}
        self._recognize = recognize
        self._asked_as = asked_as
        self._on_answered = on_answered
        self.ask_again: Final[dict[Waits, AskAgain]] = {Waits.DRAFT: self.show_draft}

    async def receive(self, visit: Visit, text: str, message_id: int, *, reply_to: int | None = None) -> Result:
        """Take a text as the answer to the message it replies to, as the text we wait for, or as the open Ask's answer.

        We set aside a text that fits none of these, and ask its writer. A message never becomes two Lines.
        """
        if line := await visit.rows.lines.from_message(visit.user.id, message_id):
            return await kept(visit.rows, line)
        words = fold_line(text)
        if not words:
            return EmptyText()
        replied = await visit.rows.asks.shown_by(visit.user.id, reply_to) if reply_to else None
        opened = await visit.rows.openings.shown_by(visit.user.id, reply_to) if reply_to and not replied else None
        is_reply = bool(replied or (opened and not await self._is_awaited(visit.rows, opened, visit.now)))
        if result := await self._code_or_awaited(visit, words, message_id, is_reply=is_reply):
            return result
        if not replied and (opened := opened or await opened_lately(visit)):
            return await self._ask_for_whom(visit.rows, opened, words, message_id, visit.now)
        if ask := replied or await self._open_ask(visit):
            return await self._answer(visit, ask, words, message_id)
        return await self._set_aside(visit, words, DraftReason.UNASKED, message_id)

    async def edited(self, visit: Visit, text: str, message_id: int) -> Result:
        """Handle an edited message: its Line or Draft changes with it."""
        words = fold_line(text)
        if line := await visit.rows.lines.from_message(visit.user.id, message_id):
            if not words:
                return EmptyText()
            if words == await _shown_words(visit.rows, line):  # Telegram also reports edits that change no word
                return Silence()
            # Otherwise the next text would replace these words.
            await visit.rows.dialogs.forget(visit.user.id, only=_OTHER_WORDS)
            return await self._change(visit, line, words, message_id)
        if draft := await visit.rows.drafts.from_message(visit.user.id, message_id):
            return await self._draft_edited(visit, draft, text)
        if await self.still_awaits(visit, message_id):
            return await self.receive(visit, text, message_id)
        return NothingKept()

    async def still_awaits(self, visit: Visit, message_id: int) -> bool:
        """Return whether we still wait for the value that we took this message for, so that its edit counts."""
        dialog = await visit.rows.dialogs.find(visit.user.id, visit.now)
        return dialog is not None and dialog.message_id == message_id

    async def _draft_edited(self, visit: Visit, draft: Draft, text: str) -> Result:
        words = fold_line(text)
        await visit.rows.drafts.drop(draft)
        ask = await visit.rows.asks.find(visit.user.id, draft.ask_id) if draft.ask_id else None
        opened = await visit.rows.openings.find(visit.user.id, draft.reflection_id) if draft.reflection_id else None
        if opened and words:
            result = await self._ask_for_whom(visit.rows, opened, words, draft.message_id, visit.now)
        elif ask and words:
            result = await self._recognized(visit, words, draft.message_id) or (
                await self._set_aside(visit, words, draft.reason, draft.message_id, ask_id=ask.id)
                if draft.reason is DraftReason.UNASKED
                else await self._answer(visit, ask, words, draft.message_id)
            )
        else:
            result = await self.receive(visit, text, draft.message_id)
        return replace(result, stale=(*result.stale, *_card(draft)))

    async def change(self, visit: Visit, line_id: int, revision: int) -> Result:
        line = await self._as_shown(visit, line_id, revision)
        if not isinstance(line, Line):
            return line
        await visit.rows.dialogs.await_(visit.user.id, Dialog(Waiting.CHANGE, line.id, visit.now + PATIENCE))
        return ChangeWanted(line.id)

    async def show(self, visit: Visit, line_id: int) -> Result:
        """Go back to the screen shown when the Line was kept."""
        await visit.rows.dialogs.forget(visit.user.id, only=(*_OTHER_WORDS, Waiting.FEELING))
        line = await visit.rows.lines.find(visit.user.id, line_id)
        return await kept(visit.rows, line) if line else LineGone()

    async def ask_delete(self, visit: Visit, line_id: int, revision: int) -> Result:
        line = await self._as_shown(visit, line_id, revision)
        if not isinstance(line, Line):
            return line
        return DeleteWanted(line.id, line.revision, shared=await _is_shared(visit.rows, line))

    async def delete(self, visit: Visit, line_id: int, revision: int) -> Result:
        """Remove a Line for good, with every copy of its words. Its unopened Reflections are taken back.

        The question that it answered counts as skipped again; but the first one is put again until there is an hour.
        """
        line = await self._as_shown(visit, line_id, revision)
        if not isinstance(line, Line):
            return line
        await visit.rows.notices.cancel_all(
            NoticeKind.REFLECTION, await visit.rows.reflections.line_deleted(line.id), visit.now
        )
        await visit.rows.lines.delete(line)
        if line.ask_id and await visit.rows.lines.of_ask(visit.user.id, line.ask_id) is None:
            await visit.rows.asks.unanswer(line.ask_id)
            if visit.user.step is Step.HOUR and (first := await visit.rows.asks.find(visit.user.id, line.ask_id)):
                return await self._open_again(visit, first, line)
        return Deleted(stale=_card(line))

    async def _open_again(self, visit: Visit, first: Ask, deleted: Line) -> Result:
        """Put the first question again after its Line was deleted, as if it had not been answered yet."""
        await visit.rows.dialogs.forget(visit.user.id, only=(Waiting.HOUR,))
        await visit.rows.asks.reopen(first, AskState.OPEN, shown_at=visit.now)
        return Asked(first.id, first.prompt_id, here=True, opening=AskOpening.DELETED, stale=_card(deleted))

    async def _as_shown(self, visit: Visit, line_id: int, revision: int) -> Line | Result:
        """Return the Line if it still has the revision that the card shows, or else what to say."""
        line = await visit.rows.lines.find(visit.user.id, line_id)
        if line is None:
            return LineGone()
        if line.revision == revision:
            return line
        now = await kept(visit.rows, line)
        return LineDiffers(line.id, line.revision, may_share=now.may_share, shared=now.shared, stale=now.stale)

    async def show_draft(self, visit: Visit, draft_id: int) -> Result:
        """Ask again about a text that was set aside, and show it: in discreet mode its message is gone."""
        draft = await visit.rows.drafts.find(visit.user.id, draft_id)
        if draft is None:
            return Outdated()
        if self._asked_as and (asked := await self._asked_as(visit, draft)):
            return asked
        opened = await visit.rows.openings.find(visit.user.id, draft.reflection_id) if draft.reflection_id else None
        replaces_nothing = draft.reason is DraftReason.SECOND and draft.line_id is None
        reason = DraftReason.UNASKED if replaces_nothing else draft.reason
        answered = opened is not None and opened.answered
        return SetAside(draft.id, reason, draft.line_id, answered=answered, again=True)

    async def keep_draft(self, visit: Visit, draft_id: int) -> Result:
        """Keep a text that was set aside, as a Line of its own, cut to LINE_LIMIT if it is longer."""
        draft = await visit.rows.drafts.find(visit.user.id, draft_id)
        if draft is None or draft.reason is DraftReason.REACTION:
            return Outdated()
        if draft.reason in {DraftReason.OPENED, DraftReason.REPLY}:
            return await self._keep_for_oneself(visit, draft)
        words = first_300(draft.text)
        line = await visit.rows.lines.find(visit.user.id, draft.line_id) if draft.line_id else None
        if line and draft.reason is DraftReason.TOO_LONG:
            if line.revision != draft.line_revision:
                return await self._differs(visit.rows, draft, line)
            await visit.rows.drafts.drop(draft)
            return await self._change(visit, line, words, draft.message_id)
        await visit.rows.drafts.drop(draft)
        ask = await visit.rows.asks.find(visit.user.id, draft.ask_id) if draft.ask_id else None
        return await self._keep(visit, ask, words, draft.message_id)

    async def _keep_for_oneself(self, visit: Visit, draft: Draft) -> Result:
        """Keep a text that could have been for the partner as a Line, answering the open question if there is one."""
        await visit.rows.drafts.drop(draft)
        ask = await _latest_shown(visit)
        answers = ask if ask and _is_fresh(ask, visit.now) else None
        return await self._keep(visit, answers, draft.text, draft.message_id)

    async def replace_by_draft(self, visit: Visit, draft_id: int) -> Result:
        """Replace the existing Line with the text that was set aside."""
        draft = await visit.rows.drafts.find(visit.user.id, draft_id)
        if draft is None:
            return Outdated()
        line = await visit.rows.lines.find(visit.user.id, draft.line_id) if draft.line_id else None
        if line is None:
            return await self.keep_draft(visit, draft_id)
        if line.revision != draft.line_revision:
            return await self._differs(visit.rows, draft, line)
        await visit.rows.drafts.drop(draft)
        return await self._change(visit, line, draft.text, draft.message_id)

    async def _differs(self, rows: Rows, draft: Draft, line: Line) -> Result:
        """Ask once more whether this text should replace the Line, which has changed since we asked."""
        await rows.drafts.show_line(draft, line.revision)
        return SetAside(draft.id, draft.reason, line.id, differs=True)

    async def shorten_draft(self, visit: Visit, draft_id: int) -> Result:
        """Take the next text in place of the one that is too long."""
        draft = await visit.rows.drafts.find(visit.user.id, draft_id)
        if draft is None:
            return Outdated()
        await visit.rows.dialogs.await_(visit.user.id, Dialog(Waiting.SHORTER, draft.id, visit.now + PATIENCE))
        return ShorterWanted()

    async def drop_draft(self, visit: Visit, draft_id: int) -> Result:
        """Drop a text that was set aside, unless it was already decided about."""
        draft = await visit.rows.drafts.find(visit.user.id, draft_id)
        if draft is None:
            return Outdated()
        await visit.rows.drafts.drop(draft)
        if draft.reason is not DraftReason.REACTION:  # the message of that one is the partner's line
            await hide_decided(visit, draft.message_id)
        if draft.reason in {DraftReason.OPENED, DraftReason.REPLY, DraftReason.REACTION}:
            return ReplyDropped()
        return await self._question_of(visit, draft) or Dropped()

    async def _question_of(self, visit: Visit, draft: Draft) -> Result | None:
        """Put the question again that a dropped text would have answered; None if it no longer awaits an answer."""
        ask = await visit.rows.asks.find(visit.user.id, draft.ask_id) if draft.ask_id else None
        if ask is None or ask.state is not AskState.OPEN or ask.is_open_day:
            return None
        shown_by = await visit.rows.asks.newest_message(visit.user.id, ask.id)
        await visit.rows.asks.reopen(ask, ask.state, shown_at=visit.now)
        stale = (shown_by,) if shown_by else ()
        if ask.called_back:
            return CalledBack(ask.id, ask.called_back, here=True, opening=AskOpening.NOT_KEPT, stale=stale)
        return Asked(ask.id, ask.prompt_id, here=True, opening=AskOpening.NOT_KEPT, stale=stale)

    async def _code_or_awaited(self, visit: Visit, words: str, message_id: int, *, is_reply: bool) -> Result | None:
        """Handle a text that isn't an ordinary Line: a code, or the text we wait for. None if it is neither.

        If the text turns out to be a code, we go on waiting. A reply to a question answers that question, whatever we
        wait for.
        """
        awaited = await visit.rows.dialogs.find(visit.user.id, visit.now)
        wants_value = awaited is not None and not awaited.waiting.wants_words and not is_reply
        result = None if wants_value else await self._recognized(visit, words, message_id)
        if result:
            return result
        await visit.rows.dialogs.forget(visit.user.id)
        if awaited and not is_reply:
            result = await self._awaited(visit, awaited, words, message_id)
            await visit.rows.dialogs.tried(visit.user.id, message_id)
        if result is None and awaited and awaited.waiting.is_on_screen:
            expires_at = min(awaited.expires_at, visit.now + _IN_SIGHT)
            await visit.rows.dialogs.await_(visit.user.id, replace(awaited, expires_at=expires_at))
        if result is None and wants_value:
            result = await self._recognized(visit, words, message_id)
        return result

    async def _is_awaited(self, rows: Rows, opened: Opening, now: datetime) -> bool:
        """Return whether we wait for a typed Response to this Reflection, so that a reply to its message is one."""
        awaited = await rows.dialogs.find(opened.user_id, now)
        return bool(awaited and awaited.waiting is Waiting.REPLY and awaited.subject_id == opened.reflection_id)

    async def _ask_for_whom(self, rows: Rows, opened: Opening, words: str, message_id: int, now: datetime) -> Result:
        """Ask whether a text is meant for the sharer of the opened Reflection, or for its writer alone."""
        reason = DraftReason.OPENED if await looks_answerable(rows, opened) else DraftReason.UNASKED
        draft = Draft(0, opened.user_id, reason, words, message_id, reflection_id=opened.reflection_id)
        draft = await rows.drafts.set_aside(draft, now)
        return SetAside(draft.id, reason, answered=opened.answered)

    async def _open_ask(self, visit: Visit) -> Ask | None:
        """Return the Ask that a text answers without having to reply to it."""
        ask = await _latest_shown(visit)
        return ask if ask and (_is_fresh(ask, visit.now) or _is_todays_answered(ask, visit.user, visit.now)) else None

    async def _recognized(self, visit: Visit, words: str, message_id: int) -> Result | None:
        return await self._recognize(visit, words, message_id) if self._recognize else None

    async def _awaited(self, visit: Visit, awaited: Dialog, words: str, message_id: int) -> Result | None:
        if typed := self._typed.get(awaited.waiting):
            result = await typed(visit, awaited, words, message_id)
            if result and awaited.message_id and awaited.message_id != message_id:
                await self._superseded(visit, awaited.message_id)
            return result
        if awaited.waiting is Waiting.CHANGE:
            line = await visit.rows.lines.find(visit.user.id, awaited.subject_id)
            return await self._change(visit, line, words, message_id) if line else None
        draft = await visit.rows.drafts.find(visit.user.id, awaited.subject_id)
        return await self._shortened(visit, draft, words, message_id) if draft else None

    async def _superseded(self, visit: Visit, message_id: int) -> None:
        """Drop the Draft of a text that was too long, or is written again, once another has come in its place."""
        draft = await visit.rows.drafts.from_message(visit.user.id, message_id)
        if draft and draft.reason in {DraftReason.TOO_LONG, DraftReason.REPLY, DraftReason.OPENED}:
            await visit.rows.drafts.drop(draft)
            for each in (draft.message_id, *_card(draft)):
                await hide_decided(visit, each)

    async def _shortened(self, visit: Visit, draft: Draft, words: str, message_id: int) -> Result:
        await visit.rows.drafts.drop(draft)
        for each in (draft.message_id, *_card(draft)):
            await hide_decided(visit, each)
        if line := await visit.rows.lines.find(visit.user.id, draft.line_id) if draft.line_id else None:
            if line.revision != draft.line_revision:
                return await self._set_aside(visit, words, DraftReason.SECOND, message_id, line=line)
            return await self._change(visit, line, words, message_id)
        ask = await visit.rows.asks.find(visit.user.id, draft.ask_id) if draft.ask_id else None
        if ask:
            return await self._answer(visit, ask, words, message_id)
        return await self._keep(visit, None, words, message_id)

    async def _answer(self, visit: Visit, ask: Ask, words: str, message_id: int) -> Result:
        """Keep a text as the Line that answers `ask`. If there already is one, let the writer decide."""
        if (
            ask.state is AskState.ANSWERED
            and len(words) <= LINE_LIMIT
            and (line := await visit.rows.lines.of_ask(visit.user.id, ask.id))
        ):
            return await self._set_aside(visit, words, DraftReason.SECOND, message_id, ask_id=ask.id, line=line)
        return await self._keep(visit, ask, words, message_id)

    async def _keep(self, visit: Visit, ask: Ask | None, words: str, message_id: int) -> Result:
        if len(words) > LINE_LIMIT:
            ask_id = ask.id if ask else None
            return await self._set_aside(visit, words, DraftReason.TOO_LONG, message_id, ask_id=ask_id)
        day = ask.day if ask else local_date(visit.now, visit.zone)
        line = Line(timeless_id(), visit.user.id, day, ask.id if ask else None, message_id)
        first = not await visit.rows.lines.has_any(visit.user.id)
        if ask and self._on_answered and ask.state is not AskState.ANSWERED:
            await self._on_answered(visit, ask)
        await visit.rows.lines.keep(line, words, prompt_id=ask.prompt_id if ask else None, now=visit.now)
        if ask:
            await visit.rows.asks.answered(ask)
            await visit.rows.notices.cancel_for_ask(ask.id, visit.now)
        question = await visit.rows.asks.newest_message(visit.user.id, ask.id) if ask else None
        await hide_decided(visit, message_id, ask)
        may_share = await visit.rows.pairs.looks_active_to(visit.user.id)
        return Kept(line.id, may_share=may_share, first=first, stale=(question,) if question else ())

    async def _change(self, visit: Visit, line: Line, words: str, message_id: int) -> Result:
        if len(words) > LINE_LIMIT:
            reason = DraftReason.TOO_LONG
            return await self._set_aside(visit, words, reason, message_id, ask_id=line.ask_id, line=line)
        stale = _card(line)
        if draft := await visit.rows.drafts.from_message(visit.user.id, message_id):
            stale += _card(draft)
            await visit.rows.drafts.drop(draft)
        line = await visit.rows.lines.change(line, words, visit.now, message_id=message_id)
        await hide_decided(visit, message_id)
        may_share = await visit.rows.pairs.looks_active_to(line.user_id)
        shared = await _is_shared(visit.rows, line)
        return Changed(line.id, line.revision, may_share=may_share, shared=shared, stale=stale)

    async def _set_aside(
        self,
        visit: Visit,
        words: str,
        reason: DraftReason,
        message_id: int,
        *,
        ask_id: int | None = None,
        line: Line | None = None,
    ) -> Result:
        """Ask the writer about a text that could replace `line` or answer an Ask."""
        if len(words) > LINE_LIMIT:
            reason = DraftReason.TOO_LONG
        line_id, revision = (line.id, line.revision) if line else (None, None)
        draft = Draft(0, visit.user.id, reason, words, message_id, ask_id, line_id, revision)
        draft = await visit.rows.drafts.set_aside(draft, visit.now)
        return SetAside(draft.id, reason, line_id)

    # Words for screens

    async def read_line(self, visit: Visit, result: DeleteWanted | LineDiffers | SetAside) -> dict[str, str]:
        line = await visit.rows.lines.find(visit.user.id, result.line_id) if result.line_id else None
        if line is None:
            return {}
        return {"words": await _shown_words(visit.rows, line), **await self.read_feelings(visit, line)}

    async def read_feelings(self, visit: Visit, shown: Kept | Changed | Line) -> dict[str, str]:
        line_id = shown.id if isinstance(shown, Line) else shown.line_id
        return {"feelings": pack(await visit.rows.lines.feelings(visit.user.id, line_id))}

    async def read_draft(self, visit: Visit, result: SetAside) -> dict[str, str]:
        draft = await visit.rows.drafts.find(visit.user.id, result.draft_id)
        if draft is None:
            return await self.read_line(visit, result)
        found = {"length": str(len(draft.text)), **await self.read_line(visit, result)}
        if draft.reason is DraftReason.REACTION:
            found["emoji"] = draft.text
        elif result.again:
            found["draft"] = draft.text
        if draft.reflection_id and (opened := await visit.rows.reflections.theirs(visit.user.id, draft.reflection_id)):
            found["name"] = await name_of(visit.rows, opened.user_id)
        return found


async def kept(rows: Rows, line: Line) -> Kept:
    """Return the Result that shows a Line's card."""
    may_share = await rows.pairs.looks_active_to(line.user_id)
    shared = await _is_shared(rows, line)
    first = await _is_first(rows, line)
    return Kept(line.id, line.revision, may_share=may_share, shared=shared, first=first, stale=_card(line))


def _card(of: Line | Draft) -> tuple[int, ...]:
    return (of.card_id,) if of.card_id else ()


async def _is_first(rows: Rows, line: Line) -> bool:
    """Return whether its writer has no other Line."""
    return not await rows.lines.others(line.user_id, line.id)


async def _is_shared(rows: Rows, line: Line) -> bool:
    """Return whether the Line is shared, as far as its writer knows."""
    return await rows.reflections.is_shared(line.id, unheard=await rows.pairs.ended(line.user_id))


async def set_aside_unsent(visit: Visit, words: str, message_id: int, instead: Result) -> Result:
    """Ask whether to keep a text as a Line that came too late to be for the partner.

    `instead` is what would be said without the text.
    """
    reason = DraftReason.TOO_LONG if len(words) > LINE_LIMIT else DraftReason.UNASKED
    draft = await visit.rows.drafts.set_aside(Draft(0, visit.user.id, reason, words, message_id), visit.now)
    preface = Preface.SHARING_ENDED if isinstance(instead, SharingEnded) else Preface.UNSENT
    return SetAside(draft.id, reason, preface=preface)


async def set_aside_too_long(visit: Visit, words: str, message_id: int) -> int | None:
    """In discreet mode, keep a text that is too long as a Draft, since its message goes. Return the Draft's id."""
    if not visit.user.discreet:
        return None
    draft = Draft(0, visit.user.id, DraftReason.TOO_LONG, words, message_id)
    return (await visit.rows.drafts.set_aside(draft, visit.now)).id


async def _latest_shown(visit: Visit) -> Ask | None:
    """Return the latest Ask that was sent. A text can't answer one that still waits to be sent."""
    ask = await visit.rows.asks.latest(visit.user.id)
    return ask if ask is None or ask.shown_at else await visit.rows.asks.latest_shown(visit.user.id)


def _is_fresh(ask: Ask, now: datetime) -> bool:
    return ask.undecided and ask.shown_at is not None and now - ask.shown_at < OPEN_FOR


def _is_todays_answered(ask: Ask, user: User, now: datetime) -> bool:
    if ask.state is not AskState.ANSWERED:
        return False
    is_todays = user.zone is not None and ask.day == local_date(now, user.zone)
    return is_todays or (ask.shown_at is not None and now - ask.shown_at < PATIENCE)


async def _shown_words(rows: Rows, line: Line) -> str:
    """Return the words of a Line as they are shown to its owner."""
    return (await rows.lines.words_of(line.user_id, [line.id]))[line.id]
