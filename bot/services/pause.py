"""The pause: the bot doesn't write first until a date or until the user resumes, and nobody else can tell."""

from datetime import date, timedelta
from typing import Final

from bot.domain.days import counted_days, is_at_once, is_endless, read_day
from bot.domain.model import Dialog, Waiting
from bot.domain.moments import looks_like_time
from bot.domain.notices import NoticeKind
from bot.domain.planning import paused_for, resumed
from bot.domain.results import ArgumentUnclear, Paused, PauseDayWanted, PauseWanted, PauseWhichDay, Result, Resumed
from bot.domain.times import local_date
from bot.services.habits import habits_of
from bot.services.lines import Typed
from bot.services.planning import replan
from bot.services.visit import Visit

LONGEST: Final = timedelta(days=366)
_AWAITED_FOR: Final = timedelta(minutes=10)
"""For how long we take a text as the day or the time we asked for."""
_LONGEST_DAY: Final = 30


class Pause:
    """Use cases around the pause, for users who have finished setting up."""

    def __init__(self) -> None:
        self.typed: dict[Waiting, Typed] = {Waiting.PAUSE_DAY: self.day_typed, Waiting.PAUSE_FOR: self.day_typed}

    async def wanted(self, visit: Visit) -> Result:
        """Ask for how long, or say that there already is a pause."""
        await visit.rows.dialogs.forget(visit.user.id)
        return Paused(visit.user.next_ask_at, already=True) if visit.user.paused_at else await self.longer(visit)

    async def longer(self, visit: Visit) -> Result:
        """Ask for how long, even during a pause. The answer can be tapped or typed."""
        await visit.rows.dialogs.await_(visit.user.id, Dialog(Waiting.PAUSE_FOR, 0, visit.now + _AWAITED_FOR))
        return PauseWanted(paused=visit.user.paused_at is not None)

    async def dates(self, visit: Visit, count: int) -> Result:
        """Pause for this many local dates, including today if its question is still to come."""
        return await self._pause(visit, paused_for(visit.user, count, visit.now))

    async def until_told(self, visit: Visit) -> Result:
        return await self._pause(visit, None)

    async def until(self, visit: Visit, day: date) -> Result:
        """Pause until `day`, on which questions start again."""
        today = local_date(visit.now, visit.zone)
        if not today < day <= today + LONGEST:
            return await self.day_wanted(visit, unclear=True)
        return await self._pause(visit, day)

    async def day_wanted(self, visit: Visit, *, month: date | None = None, unclear: bool = False) -> Result:
        """Ask until which day. It can be tapped in the calendar of a `month`, or typed."""
        today = local_date(visit.now, visit.zone)
        last = today + LONGEST
        tomorrow = today + timedelta(days=1)
        shown = min(max(month or tomorrow, tomorrow), last)
        await visit.rows.dialogs.await_(visit.user.id, Dialog(Waiting.PAUSE_DAY, 0, visit.now + _AWAITED_FOR))
        return PauseDayWanted(shown.replace(day=1), today, last, unclear=unclear)

    async def day_typed(self, visit: Visit, awaited: Dialog, words: str, _message_id: int) -> Result | None:
        result = await self.read(visit, words)
        may_be_one = awaited.waiting is Waiting.PAUSE_DAY or looks_like_time(words)
        if result is None and may_be_one and len(words) <= _LONGEST_DAY:
            return await self.day_wanted(visit, unclear=True)
        return result  # None: it must have been meant as something else

    async def said(self, visit: Visit, words: str) -> Result:
        """Handle the text after /pause: "3 days", "until Friday", "until I say so"."""
        return await self.read(visit, words) or await self.day_wanted(visit, unclear=True)

    async def read(self, visit: Visit, words: str) -> Result | None:
        """Pause as these words say: for some days, until a day, or until resumed. None if they say none of these."""
        if is_endless(words):
            return await self.until_told(visit)
        if count := counted_days(words):
            if timedelta(days=count) > LONGEST:
                return await self.day_wanted(visit, unclear=True)
            return await self.dates(visit, count)
        today = local_date(visit.now, visit.zone)
        days = read_day(words, today, habits_of(visit.user))
        ahead = tuple(day for day in days if today < day <= today + LONGEST)
        if len(ahead) > 1:
            await visit.rows.dialogs.await_(visit.user.id, Dialog(Waiting.PAUSE_DAY, 0, visit.now + _AWAITED_FOR))
            return PauseWhichDay(ahead)
        if days and not ahead:
            return await self.day_wanted(visit, unclear=True)
        return await self.until(visit, ahead[0]) if ahead else None

    async def resume_said(self, visit: Visit, words: str) -> Result:
        """End the pause when these words say: now, or on a later day."""
        if visit.user.paused_at is None:
            return ArgumentUnclear("resume")
        today = local_date(visit.now, visit.zone)
        if is_at_once(words) or today in read_day(words, today, habits_of(visit.user))[:1]:
            await visit.rows.dialogs.forget(visit.user.id)
            return await self.resume(visit)
        return await self.read(visit, words) or await self.day_wanted(visit, unclear=True)

    async def resume(self, visit: Visit) -> Result:
        """End the pause. No backlog of questions has piled up, but Notices that were held back come now."""
        user = visit.user
        was_paused = user.paused_at is not None
        if was_paused:
            after = resumed(user, visit.now)
            user = await replan(
                visit, paused_at=None, paused_until=None, depth=after.depth, comfortable=after.comfortable
            )
            await visit.rows.notices.resume(user.id, visit.now)
        return Resumed(user.next_ask_at or visit.now, was_paused=was_paused)

    async def _pause(self, visit: Visit, until: date | None) -> Result:
        user = visit.user
        await visit.rows.dialogs.forget(user.id)
        # Nothing piles up during a pause, so the reminder isn't held until its end.
        if open_ask := await visit.rows.asks.latest(user.id):
            await visit.rows.notices.cancel(NoticeKind.REMINDER, open_ask.id, visit.now)
        user = await replan(visit, paused_at=user.paused_at or visit.now, paused_until=until)
        return Paused(user.next_ask_at)
