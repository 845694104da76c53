"""The pause: no message that the bot would start, until a date or until resumed; and nobody can tell."""

from datetime import date, datetime, timedelta
from typing import Final

from bot.domain.days import counted_days, is_at_once, is_endless, read_day
from bot.domain.model import Dialog, NoticeKind, User, Waiting
from bot.domain.moments import seems_a_time
from bot.domain.planning import paused_for, resumed
from bot.domain.results import Paused, PauseDayWanted, PauseWanted, PauseWhichDay, Result, Resumed
from bot.domain.times import local_date
from bot.services.calendar import replan
from bot.services.habits import habits_of
from bot.services.lines import Typed
from bot.storage.store import Rows

LONGEST: Final = timedelta(days=366)
_PATIENCE: Final = timedelta(minutes=10)
_LONGEST_DAY: Final = 30


class Pause:
    """Use cases around the pause, for users who are through with the start."""

    def __init__(self) -> None:
        self.typed: dict[Waiting, Typed] = {Waiting.PAUSE_DAY: self.day_typed, Waiting.PAUSE_FOR: self.day_typed}

    async def wanted(self, rows: Rows, user: User, now: datetime) -> Result:
        """Ask for how long, or say that there is a pause."""
        await rows.dialogs.forget(user.id)
        return Paused(user.next_ask_at, already=True) if user.paused_at else await self.longer(rows, user, now)

    async def longer(self, rows: Rows, user: User, now: datetime) -> Result:
        """Ask for how long, also where there is a pause already. It can be tapped, or typed."""
        await rows.dialogs.await_(user.id, Dialog(Waiting.PAUSE_FOR, 0, now + _PATIENCE))
        return PauseWanted(paused=user.paused_at is not None)

    async def dates(self, rows: Rows, user: User, count: int, now: datetime) -> Result:
        """Pause for so many dates: today's among them, if its question is still to come."""
        return await self._pause(rows, user, paused_for(user, count, now), now)

    async def until_told(self, rows: Rows, user: User, now: datetime) -> Result:
        return await self._pause(rows, user, None, now)

    async def until(self, rows: Rows, user: User, day: date, now: datetime) -> Result:
        """Pause until `day`, on which the questions come again."""
        today = _today(user, now)
        if not today < day <= today + LONGEST:
            return await self.day_wanted(rows, user, now, unclear=True)
        return await self._pause(rows, user, day, now)

    async def day_wanted(
        self, rows: Rows, user: User, now: datetime, *, month: date | None = None, unclear: bool = False
    ) -> Result:
        """Until which day? It can be tapped in a calendar of `month`, or typed."""
        today = _today(user, now)
        last = today + LONGEST
        tomorrow = today + timedelta(days=1)
        shown = min(max(month or tomorrow, tomorrow), last)
        await rows.dialogs.await_(user.id, Dialog(Waiting.PAUSE_DAY, 0, now + _PATIENCE))
        return PauseDayWanted(shown.replace(day=1), today, last, unclear=unclear)

    async def day_typed(
        self, rows: Rows, user: User, awaited: Dialog, words: str, _message_id: int, now: datetime
    ) -> Result | None:
        result = await self.read(rows, user, words, now)
        may_be_one = awaited.waiting is Waiting.PAUSE_DAY or seems_a_time(words)
        if result is None and may_be_one and len(words) <= _LONGEST_DAY:
            return await self.day_wanted(rows, user, now, unclear=True)
        return result  # else it must have been meant as something else

    async def read(self, rows: Rows, user: User, words: str, now: datetime) -> Result | None:
        """Pause as these words say: for so long, until a day, until told. None where they say nothing of the kind."""
        if is_endless(words):
            return await self.until_told(rows, user, now)
        if count := counted_days(words):
            if timedelta(days=count) > LONGEST:
                return await self.day_wanted(rows, user, now, unclear=True)
            return await self.dates(rows, user, count, now)
        today = _today(user, now)
        days = read_day(words, today, habits_of(user))
        ahead = tuple(day for day in days if today < day <= today + LONGEST)
        if len(ahead) > 1:
            await rows.dialogs.await_(user.id, Dialog(Waiting.PAUSE_DAY, 0, now + _PATIENCE))
            return PauseWhichDay(ahead)
        if days and not ahead:
            return await self.day_wanted(rows, user, now, unclear=True)
        return await self.until(rows, user, ahead[0], now) if ahead else None

    async def resume_said(self, rows: Rows, user: User, words: str, now: datetime) -> Result | None:
        """End the pause when these words say: now, or on a day, up to which it lasts. None where there is no pause."""
        if user.paused_at is None:
            return None
        if is_at_once(words) or _today(user, now) in read_day(words, _today(user, now), habits_of(user))[:1]:
            await rows.dialogs.forget(user.id)
            return await self.resume(rows, user, now)
        return await self.read(rows, user, words, now) or await self.day_wanted(rows, user, now, unclear=True)

    async def resume(self, rows: Rows, user: User, now: datetime) -> Result:
        """The pause is over. No backlog waits at its end, but what was held for the user comes now."""
        was_paused = user.paused_at is not None
        if was_paused:
            after = resumed(user, now)
            user = await replan(
                rows, user, now, paused_at=None, paused_until=None, depth=after.depth, comfortable=after.comfortable
            )
            await rows.notices.let_go(user.id, now)
        return Resumed(user.next_ask_at or now, was_paused=was_paused)

    async def _pause(self, rows: Rows, user: User, until: date | None, now: datetime) -> Result:
        await rows.dialogs.forget(user.id)
        if open_ask := await rows.asks.latest(user.id):  # not held until the end of the pause: nothing piles up in it
            await rows.notices.cancel(NoticeKind.REMINDER, open_ask.id, now)
        user = await replan(rows, user, now, paused_at=user.paused_at or now, paused_until=until)
        return Paused(user.next_ask_at)


def _today(user: User, now: datetime) -> date:
    if user.zone is None:
        raise ValueError("the user has no zone yet")
    return local_date(now, user.zone)
