"""Receiving, for the one who is told something: announced without content, opened when wanted, answered in one line."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from bot.domain.content import Wish
from bot.domain.days import read_day
from bot.domain.model import Dialog, Draft, DraftReason, NoticeKind, User, Waiting
from bot.domain.moments import Clock, read_later, seems_a_time
from bot.domain.results import NothingHere, NotPaired, Result, SetAside, SharingEnded, Silence
from bot.domain.results.receiving import (
    AllLater,
    AllLaterWanted,
    AllNotNow,
    AlreadyAnswered,
    AlreadyOpened,
    Announced,
    AnnouncedTogether,
    Answered,
    NotNow,
    Opened,
    OpenLater,
    OpenLaterWanted,
    ReactionStays,
    ReplyDropped,
    ReplyPreview,
    ReplyTooLong,
    ReplyWanted,
    TakenBack,
    WaitingShown,
)
from bot.domain.sharing import (
    REACTIONS,
    READABLE,
    Answer,
    Move,
    Opening,
    Reflection,
    Response,
    State,
    cue_of,
    held_until,
    tomorrow_again,
)
from bot.domain.times import tonight
from bot.domain.typed import LINE_LIMIT
from bot.library import Library
from bot.services.announcing import announced
from bot.services.habits import habits_of
from bot.services.lines import PATIENCE, Typed
from bot.services.names import name_of
from bot.services.openings import seems_answerable
from bot.services.pairing import nobody
from bot.storage.ids import timeless_id
from bot.storage.store import Rows

_LISTED: Final = 10
_LATER: Final = (Waiting.OPEN_WHEN, Waiting.ALL_WHEN)
_PATIENCE: Final = timedelta(minutes=10)
"""So long a text is taken as the time that was asked for."""
_FURTHEST: Final = timedelta(days=7)


class Receiving:
    """Use cases of the receiver. `rows` is the transaction they happen in."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self.typed: dict[Waiting, Typed] = {
            Waiting.REPLY: self._typed_reply,
            Waiting.OPEN_WHEN: self._typed_time,
            Waiting.ALL_WHEN: self._typed_time,
        }
        self.readers: dict[type[Result], Any] = {
            Announced: self._read_name_of,
            AnnouncedTogether: self._read_name,
            Opened: self._read_opened,
            ReplyPreview: self._read_reply,
            ReplyWanted: self._read_name_of,
            ReplyTooLong: self._read_length,
            TakenBack: self._read_name,
            Answered: self._read_name,
            ReactionStays: self._read_name,
            WaitingShown: self._read_name,
        }

    async def open(self, rows: Rows, user: User, reflection_id: int, now: datetime) -> Result:
        """Show it, once: the Wish and a cue first, then the words."""
        found = await self._theirs(rows, user, reflection_id)
        if not isinstance(found, Reflection):
            return found
        wish, cue = found.wish or Wish.LISTEN, cue_of(found, self._library.cues)
        if await rows.reflections.move(found, Move.OPEN, opened_at=now, cue_id=cue.id) is None:
            again = await self._theirs(rows, user, reflection_id)
            return AlreadyOpened() if isinstance(again, Reflection) else again
        await rows.notices.cancel(NoticeKind.REFLECTION, found.id, now)
        await rows.dialogs.forget(user.id, only=_LATER)
        await rows.openings.add(Opening(user.id, found.id, found.pair_id, now))
        return Opened(found.id, wish, cue.id)

    async def open_one(self, rows: Rows, user: User, reflection_id: int, now: datetime) -> Result:
        """As `open`, from a message with others, which keeps its buttons as long as anything is closed."""
        result = await self.open(rows, user, reflection_id, now)
        if not isinstance(result, Opened | TakenBack):
            return result
        pair = await rows.pairs.active(user.id)
        return replace(result, beside=pair is not None and await rows.reflections.has_closed(user.id, pair.id))

    async def later(
        self, rows: Rows, user: User, reflection_id: int, now: datetime, *, unclear: bool = False
    ) -> Result:
        """Ask when to announce it again. It can be tapped, or typed."""
        found = await self._unopened(rows, user, reflection_id)
        if not isinstance(found, Reflection):
            return found
        await rows.dialogs.await_(user.id, Dialog(Waiting.OPEN_WHEN, found.id, now + _PATIENCE))
        return OpenLaterWanted(found.id, tonight=tonight(now, user.zone or "UTC") is not None, unclear=unclear)

    async def back(self, rows: Rows, user: User, reflection_id: int) -> Result:
        """The announcement again, after "Later"."""
        await rows.dialogs.forget(user.id, only=_LATER)
        found = await self._unopened(rows, user, reflection_id)
        return Announced(found.id, here=True) if isinstance(found, Reflection) else found

    async def put_off(self, rows: Rows, user: User, reflection_id: int, when: str, now: datetime) -> Result:
        """Announce it again "tonight" or "tomorrow", by the receiver's clock."""
        found = await self._unopened(rows, user, reflection_id)
        if not isinstance(found, Reflection):
            return found
        until = _until(user, when, now)
        if until is None:
            return OpenLaterWanted(found.id, tonight=False)
        return await self._put_off(rows, user, found, until, now)

    async def _typed_time(
        self, rows: Rows, user: User, awaited: Dialog, words: str, _message_id: int, now: datetime
    ) -> Result | None:
        """What is typed under the times on offer, for one or for all of them; what is about no time isn't for it."""
        zone = user.zone or "UTC"
        clock, habits = Clock(now, zone), habits_of(user)
        moments = read_later(words, clock, habits)
        if not moments and not seems_a_time(words):
            return None
        about, of_all = awaited.subject_id, awaited.waiting is Waiting.ALL_WHEN
        found = await (self._closed_of(rows, user, about, now) if of_all else self._unopened(rows, user, about))
        if isinstance(found, Result):
            return found
        if not moments or moments[0] - now > _FURTHEST:
            return await (self.all_later if of_all else self.later)(rows, user, about, now, unclear=True)
        is_tomorrow = read_day(words, clock.today, habits) == (clock.today + timedelta(days=1),)
        until = tomorrow_again(now, zone) if is_tomorrow else moments[0]
        if isinstance(found, list):
            return await self._put_off_all(rows, user, about, found, until, now)
        return await self._put_off(rows, user, found, until, now)

    async def _put_off(self, rows: Rows, user: User, found: Reflection, until: datetime, now: datetime) -> Result:
        """Announce it again then, or when the receiver's quiet hours of then are over, which is what they are told."""
        await rows.dialogs.forget(user.id, only=_LATER)
        until = held_until(until, user.zone, away=False, quiet=user.quiet)
        if not await self._remind(rows, user, found, until, now):
            return await self.later(rows, user, found.id, now)
        return OpenLater(found.id, until)

    async def not_now(self, rows: Rows, user: User, reflection_id: int, now: datetime) -> Result:
        """Keep it until the receiver looks for it."""
        found = await self._unopened(rows, user, reflection_id)
        if not isinstance(found, Reflection):
            return found
        await rows.dialogs.forget(user.id, only=_LATER)
        await rows.notices.cancel(NoticeKind.REFLECTION, found.id, now)
        return NotNow(found.id)

    # --- several of one message --------------------------------------------------------------------------------------

    async def all_later(
        self, rows: Rows, user: User, announcement_id: int, now: datetime, *, unclear: bool = False
    ) -> Result:
        """As `later`, of all that is still closed."""
        found = await self._closed_of(rows, user, announcement_id, now)
        if not isinstance(found, list):
            return found
        await rows.dialogs.await_(user.id, Dialog(Waiting.ALL_WHEN, announcement_id, now + _PATIENCE))
        return AllLaterWanted(announcement_id, tonight=tonight(now, user.zone or "UTC") is not None, unclear=unclear)

    async def all_back(self, rows: Rows, user: User, announcement_id: int, now: datetime) -> Result:
        """The announcement again, of what is still closed."""
        await rows.dialogs.forget(user.id, only=_LATER)
        found = await self._closed_of(rows, user, announcement_id, now)
        return announced(announcement_id, found, here=True) if isinstance(found, list) else found

    async def put_off_all(self, rows: Rows, user: User, announcement_id: int, when: str, now: datetime) -> Result:
        """As `put_off`, of all that is still closed."""
        found = await self._closed_of(rows, user, announcement_id, now)
        if not isinstance(found, list):
            return found
        until = _until(user, when, now)
        if until is None:
            return AllLaterWanted(announcement_id, tonight=False)
        return await self._put_off_all(rows, user, announcement_id, found, until, now)

    async def _put_off_all(
        self, rows: Rows, user: User, announcement_id: int, found: list[Reflection], until: datetime, now: datetime
    ) -> Result:
        await rows.dialogs.forget(user.id, only=_LATER)
        await rows.notices.cancel(NoticeKind.ANNOUNCEMENT, announcement_id, now)
        until = held_until(until, user.zone, away=False, quiet=user.quiet)
        for each in found:
            await self._remind(rows, user, each, until, now)
        return AllLater(announcement_id, until)

    async def all_not_now(self, rows: Rows, user: User, announcement_id: int, now: datetime) -> Result:
        found = await self._closed_of(rows, user, announcement_id, now)
        if not isinstance(found, list):
            return found
        await rows.dialogs.forget(user.id, only=_LATER)
        await rows.notices.cancel(NoticeKind.ANNOUNCEMENT, announcement_id, now)
        await rows.notices.cancel_all(NoticeKind.REFLECTION, [each.id for each in found], now)
        return AllNotNow(announcement_id)

    # --- whatever is there -------------------------------------------------------------------------------------------

    async def waiting(self, rows: Rows, user: User, now: datetime) -> Result:
        """What can be opened. Who asks for it is told even in quiet hours and in a pause."""
        pair = await rows.pairs.active(user.id)
        if pair is None:
            return await nobody(rows, user)
        found = await rows.reflections.waiting_for(user.id, pair.id, now, _LISTED + 1)
        scheduled = {one.id for one in found[:_LISTED] if one.state is State.SCHEDULED}
        fresh = await rows.reflections.announce(scheduled, now)
        await rows.notices.cancel_all(NoticeKind.REFLECTION, fresh, now)
        shown = [one for one in found[:_LISTED] if one.id in fresh or one.id not in scheduled]
        return WaitingShown(tuple((one.id, one.announced_at or now) for one in shown), more=len(found) > _LISTED)

    # --- answering ----------------------------------------------------------------------------------------------------

    async def answer(self, rows: Rows, user: User, reflection_id: int, answer: Answer, now: datetime) -> Result:
        """Send one of the ready Responses, or begin to write a line back."""
        found = await self._opened(rows, user, reflection_id)
        if not isinstance(found, Reflection):
            return found
        if answer is Answer.LINE:
            await rows.dialogs.await_(user.id, Dialog(Waiting.REPLY, found.id, now + PATIENCE))
            return ReplyWanted(found.id)
        response = Response(timeless_id(), found.id, user.id, answer, now)
        return await self._send(rows, found, response, now)

    async def send_reply(self, rows: Rows, user: User, response_id: int, draft_id: int | None, now: datetime) -> Result:
        """Send the line back that was previewed; where it was typed as a text that waits, that is decided with it."""
        response = await rows.responses.mine(user.id, response_id)
        draft = await rows.drafts.find(user.id, draft_id) if draft_id else None
        if response is None or (draft_id and draft is None):  # another one has taken its place, or it was dropped
            return NothingHere()
        found = await self._opened(rows, user, response.reflection_id)
        if not isinstance(found, Reflection):
            return found
        sent = await self._send(rows, found, response, now)
        if draft and isinstance(sent, Answered):
            await rows.drafts.drop(draft)
        return sent

    async def drop_reply(self, rows: Rows, user: User, response_id: int, draft_id: int | None) -> Result:
        """Don't send it. Where it was typed as a text that waits, it goes on waiting for its writer's word."""
        response = await rows.responses.mine(user.id, response_id)
        draft = await rows.drafts.find(user.id, draft_id) if draft_id else None
        if response is None:
            return SetAside(draft.id, draft.reason) if draft else NothingHere()
        if response.sent_at:
            return AlreadyAnswered()
        await rows.dialogs.forget(user.id, only=(Waiting.REPLY,))
        await rows.responses.drop(response)
        return SetAside(draft.id, draft.reason) if draft else ReplyDropped()

    async def send_draft(self, rows: Rows, user: User, draft_id: int, now: datetime) -> Result:
        """A text that waits is meant for the partner: previewed as every line back. A reaction goes as it was shown."""
        draft = await rows.drafts.find(user.id, draft_id)
        if draft is None or draft.reflection_id is None:
            return NothingHere()
        found = await self._opened(rows, user, draft.reflection_id)
        if not isinstance(found, Reflection):
            return replace(found, beside=True) if isinstance(found, SharingEnded | NotPaired) else found
        if len(draft.text) > LINE_LIMIT:
            await rows.dialogs.await_(user.id, Dialog(Waiting.REPLY, found.id, now + PATIENCE))
            return ReplyTooLong(found.id, draft.id)
        response = Response(timeless_id(), found.id, user.id, Answer.LINE)
        await rows.responses.put(response, draft.text)
        if draft.reason is not DraftReason.REACTION:
            return ReplyPreview(response.id, found.id, draft.id)
        await rows.drafts.drop(draft)
        return await self._send(rows, found, response, now)

    async def reacted(self, rows: Rows, user: User, message_id: int, emoji: str | None, now: datetime) -> Result:
        """A reaction was put to a message, or taken away: under opened words it is offered to send it."""
        opened = await rows.openings.shown_by(user.id, message_id)
        before = await rows.drafts.from_message(user.id, message_id)
        if before:
            await rows.drafts.drop(before)
        stale = (before.card_id,) if before and before.card_id else ()
        if opened is None or emoji not in REACTIONS or not await seems_answerable(rows, opened):
            return Silence(stale=stale)
        if opened.answered:
            return ReactionStays(stale=stale)
        draft = Draft(0, user.id, DraftReason.REACTION, emoji, message_id, reflection_id=opened.reflection_id)
        draft = await rows.drafts.set_aside(draft, now)
        return SetAside(draft.id, draft.reason, stale=stale)

    async def _send(self, rows: Rows, found: Reflection, response: Response, now: datetime) -> Result:
        """Send a Response, the only one there is to a Reflection."""
        if await rows.reflections.move(found, Move.ANSWER) is None:
            return AlreadyAnswered()
        await rows.dialogs.forget(response.user_id, only=(Waiting.REPLY,))  # the next text is no line back any more
        if response.answer is Answer.LINE:
            await rows.responses.send(response, now)
        else:
            await rows.responses.put(response)
        await rows.openings.answer(response.user_id, found.id)
        await rows.notices.add([(found.user_id, NoticeKind.RESPONSE, response.id, now)], now)
        return Answered(response.answer)

    async def _typed_reply(
        self, rows: Rows, user: User, dialog: Dialog, words: str, _message_id: int, now: datetime
    ) -> Result | None:
        found = await self._opened(rows, user, dialog.subject_id)
        if not isinstance(found, Reflection):
            return found
        if len(words) > LINE_LIMIT:
            await rows.dialogs.await_(user.id, Dialog(Waiting.REPLY, found.id, now + PATIENCE))
            return ReplyTooLong(found.id)
        response = Response(timeless_id(), found.id, user.id, Answer.LINE)
        await rows.responses.put(response, words)
        return ReplyPreview(response.id, found.id)

    # --- words for screens --------------------------------------------------------------------------------------------

    async def _read_opened(self, rows: Rows, user: User, result: Opened) -> Mapping[str, str]:
        """The words, unless the Pair has ended before they could be shown."""
        found = await rows.reflections.theirs(user.id, result.reflection_id)
        if found is None or await rows.pairs.find(user.id, found.pair_id) is None:
            return {}
        words = await rows.reflections.words_for(user.id, result.reflection_id)
        return {"name": await name_of(rows, found.user_id), "words": words or ""}

    async def _read_reply(self, rows: Rows, user: User, result: ReplyPreview) -> Mapping[str, str]:
        response = await rows.responses.mine(user.id, result.response_id)
        words = await rows.responses.words(response) if response else None
        return {**await self._read_name_of(rows, user, result), "words": words or ""}

    async def _read_length(self, rows: Rows, user: User, result: ReplyTooLong) -> Mapping[str, str]:
        draft = await rows.drafts.find(user.id, result.draft_id) if result.draft_id else None
        return {"length": str(len(draft.text))} if draft else {}

    async def _read_name_of(self, rows: Rows, user: User, result: Any) -> Mapping[str, str]:
        found = await rows.reflections.theirs(user.id, result.reflection_id)
        return {"name": await name_of(rows, found.user_id)} if found else {}

    async def _read_name(self, rows: Rows, user: User, _: Result) -> Mapping[str, str]:
        pair = await rows.pairs.active(user.id)
        return {"name": await name_of(rows, pair.partner_of(user.id))} if pair else {}

    # --- inside -------------------------------------------------------------------------------------------------------

    async def _theirs(self, rows: Rows, user: User, reflection_id: int) -> Reflection | Result:
        """What was announced to this user in the present Pair and not taken back, or what to say instead.

        What was not announced yet is not there for its receiver, whatever a button claims. Without a Pair every button
        gets the same answer, whether what it is about is still there or its sharer has erased everything.
        """
        pair = await rows.pairs.active(user.id)
        if pair is None:
            return await nobody(rows, user, beside=True)
        found = await rows.reflections.theirs(user.id, reflection_id)
        if found is None or found.announced_at is None:
            return NothingHere()
        if found.pair_id != pair.id or found.state in {State.CANCELLED, State.LAPSED}:
            return NothingHere()
        return TakenBack() if found.state is State.WITHDRAWN else found

    async def _remind(self, rows: Rows, user: User, found: Reflection, until: datetime, now: datetime) -> bool:
        """Announce it again at `until`. False where it was opened or has ended meanwhile."""
        if await rows.reflections.move(found, Move.ANNOUNCE, remind_at=until) is None:
            return False
        await rows.notices.cancel(NoticeKind.REFLECTION, found.id, now)
        await rows.notices.add([(user.id, NoticeKind.REFLECTION, found.id, until)], now)
        return True

    async def _closed_of(
        self, rows: Rows, user: User, announcement_id: int, now: datetime
    ) -> list[Reflection] | Result:
        """What of one message is still closed; or what to say instead, which is what else is there."""
        pair = await rows.pairs.active(user.id)
        if pair is None:
            return await nobody(rows, user, beside=True)
        found = await rows.reflections.announced_in(user.id, pair.id, announcement_id)
        return found or await self.waiting(rows, user, now)

    async def _unopened(self, rows: Rows, user: User, reflection_id: int) -> Reflection | Result:
        found = await self._theirs(rows, user, reflection_id)
        return AlreadyOpened() if isinstance(found, Reflection) and found.state in READABLE else found

    async def _opened(self, rows: Rows, user: User, reflection_id: int) -> Reflection | Result:
        found = await self._theirs(rows, user, reflection_id)
        if not isinstance(found, Reflection) or found.state is State.OPENED:
            return found
        return AlreadyAnswered() if found.state is State.ANSWERED else NothingHere()


def _until(user: User, when: str, now: datetime) -> datetime | None:
    """When "tonight" or "tomorrow" is by the user's clock; None where the evening is over."""
    zone = user.zone or "UTC"
    return tonight(now, zone) if when == "tonight" else tomorrow_again(now, zone)
