"""The receiver's side of sharing: opening Reflections, now or later. `answering` handles the Responses."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from bot.domain.content import Wish
from bot.domain.days import read_day
from bot.domain.model import Dialog, Waiting
from bot.domain.moments import Clock, looks_like_time, read_later
from bot.domain.notices import NoticeKind, free_at
from bot.domain.results import NothingHere, Result
from bot.domain.results.base import OfReflection
from bot.domain.results.receiving import (
    AllLater,
    AllLaterWanted,
    AllNotNow,
    AlreadyOpened,
    Announced,
    NotNow,
    Opened,
    OpenLater,
    OpenLaterWanted,
    TakenBack,
    WaitingShown,
)
from bot.domain.sharing import (
    READABLE,
    Move,
    Opening,
    Reflection,
    State,
    cue_of,
    tomorrow_again,
)
from bot.domain.times import tonight
from bot.library import Library
from bot.services.announcing import announced
from bot.services.habits import habits_of
from bot.services.lines import Typed
from bot.services.names import name_of
from bot.services.pairing import explain_no_pair
from bot.services.visit import Visit

_LISTED: Final = 10
_LATER: Final = (Waiting.OPEN_WHEN, Waiting.ALL_WHEN)
_AWAITED_FOR: Final = timedelta(minutes=10)
"""For how long we take a text as the time we asked for."""
_FURTHEST: Final = timedelta(days=7)


class Receiving:
    """The receiver's use cases."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self.typed: dict[Waiting, Typed] = {
            Waiting.OPEN_WHEN: self._typed_time,
            Waiting.ALL_WHEN: self._typed_time,
        }

    async def open(self, visit: Visit, reflection_id: int) -> Result:
        """Show a Reflection, once: the Wish and a Cue first, then the words."""
        found = await self.theirs(visit, reflection_id)
        if not isinstance(found, Reflection):
            return found
        wish, cue = found.wish or Wish.LISTEN, cue_of(found, self._library.cues)
        if await visit.rows.reflections.move(found, Move.OPEN, opened_at=visit.now, cue_id=cue.id) is None:
            again = await self.theirs(visit, reflection_id)
            return AlreadyOpened() if isinstance(again, Reflection) else again
        await visit.rows.notices.cancel(NoticeKind.REFLECTION, found.id, visit.now)
        await visit.rows.dialogs.forget(visit.user.id)  # the next text may be about these words
        await visit.rows.openings.add(Opening(visit.user.id, found.id, found.pair_id, visit.now))
        return Opened(found.id, wish, cue.id)

    async def open_one(self, visit: Visit, reflection_id: int) -> Result:
        """Like `open`, from a message with several Reflections, whose buttons stay while any is unopened."""
        result = await self.open(visit, reflection_id)
        if not isinstance(result, Opened | TakenBack):
            return result
        pair = await visit.rows.pairs.active(visit.user.id)
        return replace(
            result, beside=pair is not None and await visit.rows.reflections.has_closed(visit.user.id, pair.id)
        )

    async def later(self, visit: Visit, reflection_id: int, *, unclear: bool = False) -> Result:
        """Ask when to announce it again. The answer can be tapped or typed."""
        found = await self._unopened(visit, reflection_id)
        if not isinstance(found, Reflection):
            return found
        await visit.rows.dialogs.await_(visit.user.id, Dialog(Waiting.OPEN_WHEN, found.id, visit.now + _AWAITED_FOR))
        return OpenLaterWanted(found.id, tonight=tonight(visit.now, visit.zone) is not None, unclear=unclear)

    async def back(self, visit: Visit, reflection_id: int) -> Result:
        """Show the announcement again, after "Later"."""
        await visit.rows.dialogs.forget(visit.user.id, only=_LATER)
        found = await self._unopened(visit, reflection_id)
        return Announced(found.id, here=True, ritual=found.ritual) if isinstance(found, Reflection) else found

    async def put_off(self, visit: Visit, when: str, reflection_id: int) -> Result:
        """Announce it again "tonight" or "tomorrow", by the receiver's clock."""
        found = await self._unopened(visit, reflection_id)
        if not isinstance(found, Reflection):
            return found
        until = _until(visit, when)
        if until is None:
            return OpenLaterWanted(found.id, tonight=False)
        return await self._put_off(visit, found, until)

    async def _typed_time(self, visit: Visit, awaited: Dialog, words: str, _message_id: int) -> Result | None:
        """Handle a text typed under the offered times, for one or for all. None if it isn't about a time."""
        zone = visit.zone
        clock, habits = Clock(visit.now, zone), habits_of(visit.user)
        moments = read_later(words, clock, habits)
        if not moments and not looks_like_time(words):
            return None
        about, of_all = awaited.subject_id, awaited.waiting is Waiting.ALL_WHEN
        found = await (self._closed_of(visit, about) if of_all else self._unopened(visit, about))
        if isinstance(found, Result):
            return found
        if not moments or moments[0] - visit.now > _FURTHEST:
            return await (self.all_later if of_all else self.later)(visit, about, unclear=True)
        is_tomorrow = read_day(words, clock.today, habits) == (clock.today + timedelta(days=1),)
        until = tomorrow_again(visit.now, zone) if is_tomorrow else moments[0]
        if isinstance(found, list):
            return await self._put_off_all(visit, about, found, until)
        return await self._put_off(visit, found, until)

    async def _put_off(self, visit: Visit, found: Reflection, until: datetime) -> Result:
        """Announce it again at `until`, or after the quiet hours around that time, and tell the receiver when."""
        await visit.rows.dialogs.forget(visit.user.id, only=_LATER)
        until = free_at(visit.user, until, asked_for=True)
        if not await self._remind(visit, found, until):
            return await self.later(visit, found.id)
        return OpenLater(found.id, until)

    async def not_now(self, visit: Visit, reflection_id: int) -> Result:
        """Keep it until the receiver asks for it."""
        found = await self._unopened(visit, reflection_id)
        if not isinstance(found, Reflection):
            return found
        await visit.rows.dialogs.forget(visit.user.id, only=_LATER)
        await visit.rows.notices.cancel(NoticeKind.REFLECTION, found.id, visit.now)
        return NotNow(found.id)

    # --- several in one message --------------------------------------------------------------------------------------

    async def all_later(self, visit: Visit, announcement_id: int, *, unclear: bool = False) -> Result:
        """Like `later`, for all that are still unopened."""
        found = await self._closed_of(visit, announcement_id)
        if not isinstance(found, list):
            return found
        await visit.rows.dialogs.await_(
            visit.user.id, Dialog(Waiting.ALL_WHEN, announcement_id, visit.now + _AWAITED_FOR)
        )
        return AllLaterWanted(announcement_id, tonight=tonight(visit.now, visit.zone) is not None, unclear=unclear)

    async def all_back(self, visit: Visit, announcement_id: int) -> Result:
        """Show the announcement again, with those that are still unopened."""
        await visit.rows.dialogs.forget(visit.user.id, only=_LATER)
        found = await self._closed_of(visit, announcement_id)
        return announced(announcement_id, found, here=True) if isinstance(found, list) else found

    async def put_off_all(self, visit: Visit, when: str, announcement_id: int) -> Result:
        """Like `put_off`, for all that are still unopened."""
        found = await self._closed_of(visit, announcement_id)
        if not isinstance(found, list):
            return found
        until = _until(visit, when)
        if until is None:
            return AllLaterWanted(announcement_id, tonight=False)
        return await self._put_off_all(visit, announcement_id, found, until)

    async def _put_off_all(
        self, visit: Visit, announcement_id: int, found: list[Reflection], until: datetime
    ) -> Result:
        await visit.rows.dialogs.forget(visit.user.id, only=_LATER)
        await visit.rows.notices.cancel(NoticeKind.ANNOUNCEMENT, announcement_id, visit.now)
        until = free_at(visit.user, until, asked_for=True)
        for each in found:
            await self._remind(visit, each, until)
        return AllLater(announcement_id, until)

    async def all_not_now(self, visit: Visit, announcement_id: int) -> Result:
        found = await self._closed_of(visit, announcement_id)
        if not isinstance(found, list):
            return found
        await visit.rows.dialogs.forget(visit.user.id, only=_LATER)
        await visit.rows.notices.cancel(NoticeKind.ANNOUNCEMENT, announcement_id, visit.now)
        await visit.rows.notices.cancel_all(NoticeKind.REFLECTION, [each.id for each in found], visit.now)
        return AllNotNow(announcement_id)

    # --- whatever is there -------------------------------------------------------------------------------------------

    async def waiting(self, visit: Visit) -> Result:
        """Show what can be opened, even during quiet hours or a pause, since the user asked for it."""
        pair = await visit.rows.pairs.active(visit.user.id)
        if pair is None:
            return await explain_no_pair(visit.rows, visit.user)
        found = await visit.rows.reflections.waiting_for(visit.user.id, pair.id, visit.now, _LISTED + 1)
        scheduled = {one.id for one in found[:_LISTED] if one.state is State.SCHEDULED}
        fresh = await visit.rows.reflections.announce(scheduled, visit.now)
        await visit.rows.notices.cancel_all(NoticeKind.REFLECTION, fresh, visit.now)
        shown = [one for one in found[:_LISTED] if one.id in fresh or one.id not in scheduled]
        return WaitingShown(tuple((one.id, one.announced_at or visit.now) for one in shown), more=len(found) > _LISTED)

    # --- words for screens --------------------------------------------------------------------------------------------

    async def read_opened(self, visit: Visit, result: Opened) -> Mapping[str, str]:
        """Read the words, unless the Pair has ended before they could be shown."""
        found = await visit.rows.reflections.theirs(visit.user.id, result.reflection_id)
        if found is None or await visit.rows.pairs.find(visit.user.id, found.pair_id) is None:
            return {}
        words = await visit.rows.reflections.words_for(visit.user.id, result.reflection_id)
        question = await visit.rows.reflections.question_for(visit.user.id, result.reflection_id)
        asked = self._library.prompts.get(question or "")
        about = {"question": asked.text} if asked else {}
        return {"name": await name_of(visit.rows, found.user_id), "words": words or "", **about}

    async def read_name_of(self, visit: Visit, result: OfReflection) -> Mapping[str, str]:
        found = await visit.rows.reflections.theirs(visit.user.id, result.reflection_id)
        return {"name": await name_of(visit.rows, found.user_id)} if found else {}

    # --- inside -------------------------------------------------------------------------------------------------------

    async def theirs(self, visit: Visit, reflection_id: int) -> Reflection | Result:
        """Return a Reflection announced to this user in the current Pair and not taken back, or what to say instead.

        A Reflection that hasn't been announced doesn't exist for its receiver, whatever a button claims. Without a Pair
        every button gets the same answer, whether its Reflection is still there or its sharer has erased everything.
        """
        pair = await visit.rows.pairs.active(visit.user.id)
        if pair is None:
            return await explain_no_pair(visit.rows, visit.user, beside=True)
        found = await visit.rows.reflections.theirs(visit.user.id, reflection_id)
        if found is None or found.announced_at is None:
            return NothingHere()
        if found.pair_id != pair.id or found.state in {State.CANCELLED, State.LAPSED}:
            return NothingHere()
        return TakenBack() if found.state is State.WITHDRAWN else found

    async def _remind(self, visit: Visit, found: Reflection, until: datetime) -> bool:
        """Announce it again at `until`. Return False if it has been opened or has ended meanwhile."""
        if await visit.rows.reflections.move(found, Move.ANNOUNCE, remind_at=until) is None:
            return False
        await visit.rows.notices.cancel(NoticeKind.REFLECTION, found.id, visit.now)
        await visit.rows.notices.add([(visit.user.id, NoticeKind.REFLECTION, found.id, until)], visit.now)
        return True

    async def _closed_of(self, visit: Visit, announcement_id: int) -> list[Reflection] | Result:
        """Return the unopened Reflections of one message. If there are none, return what else is waiting."""
        pair = await visit.rows.pairs.active(visit.user.id)
        if pair is None:
            return await explain_no_pair(visit.rows, visit.user, beside=True)
        found = await visit.rows.reflections.announced_in(visit.user.id, pair.id, announcement_id)
        return found or await self.waiting(visit)

    async def _unopened(self, visit: Visit, reflection_id: int) -> Reflection | Result:
        found = await self.theirs(visit, reflection_id)
        return AlreadyOpened() if isinstance(found, Reflection) and found.state in READABLE else found


def _until(visit: Visit, when: str) -> datetime | None:
    """Return what "tonight" or "tomorrow" means by the user's clock; None if the evening is over."""
    when_due = tonight if when == "tonight" else tomorrow_again
    return when_due(visit.now, visit.zone)
