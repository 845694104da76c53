"""A user's own settings: the start, the hour, the zone, the pause, and whether Telegram lets us write."""

from datetime import datetime, time

from bot.domain.model import Step, User
from bot.domain.results import (
    ClockWanted,
    ConsentWanted,
    HourWanted,
    Paused,
    Ready,
    Result,
    Resumed,
    Silence,
)
from bot.domain.times import Slot, changed_slot, is_zone, next_slot
from bot.storage.store import Rows


class Profile:
    """Use cases around a user's settings. `rows` is the transaction they happen in."""

    async def consent(self, rows: Rows, user: User | None, user_id: int, language: str, now: datetime) -> Result:
        """The user is 18 or older and agrees; from here on something is stored."""
        if user is None:
            user = await rows.users.add(user_id, language, now)
        return self.next_step(user, now)

    def next_step(self, user: User | None, now: datetime, *, again: bool = False) -> Result:
        """What is still to be asked at the start, or that all is done."""
        step = user.step if user else Step.CONSENT
        if step is Step.CONSENT:
            return ConsentWanted()
        if step is Step.HOUR:
            return HourWanted()
        if step is Step.ZONE:
            return ClockWanted()
        if user is None or user.paused_at:
            return Paused(already=True)
        return Ready(user.next_ask_at or now, again=again)

    async def set_hour(self, rows: Rows, user: User, at: time, now: datetime) -> Result:
        user = await rows.users.change(user, ask_at=at)
        await self._replan(rows, user, now)
        return self.next_step(await rows.users.find(user.id), now)

    async def set_zone(self, rows: Rows, user: User, zone: str, now: datetime) -> Result:
        if not is_zone(zone):
            return ClockWanted(unclear=True)
        user = await rows.users.change(user, zone=zone)
        await self._replan(rows, user, now)
        return self.next_step(await rows.users.find(user.id), now)

    async def speaks(self, rows: Rows, user: User, language: str) -> User:
        """Follow the language of the user's Telegram."""
        return user if user.language == language else await rows.users.change(user, language=language)

    async def pause(self, rows: Rows, user: User, now: datetime) -> Result:
        """No Asks until resumed. The dates meanwhile are nobody's business, and no backlog waits at the end."""
        if user.paused_at:
            return Paused(already=True)
        await rows.users.change(user, paused_at=now, next_ask_at=None, next_ask_day=None)
        return Paused()

    async def resume(self, rows: Rows, user: User, now: datetime) -> Result:
        was_paused = user.paused_at is not None
        if was_paused:
            user = await rows.users.change(user, paused_at=None)
            user = await self._plan(rows, user, now)
        return Resumed(user.next_ask_at or now, was_paused=was_paused)

    async def blocked(self, rows: Rows, user: User | None, now: datetime) -> Result:
        """Telegram no longer lets us write to this user. Nothing is deleted."""
        if user and not user.blocked_at:
            await rows.users.change(user, blocked_at=now, next_ask_at=None, next_ask_day=None)
        return Silence()

    async def unblocked(self, rows: Rows, user: User | None, now: datetime) -> Result:
        """The way is open again: it goes on with the next date, without what was missed."""
        if user and user.blocked_at:
            user = await rows.users.change(user, blocked_at=None)
            if user.reachable:
                await self._plan(rows, user, now)
        return Silence()

    async def _plan(self, rows: Rows, user: User, now: datetime) -> User:
        if user.ask_at is None or user.zone is None:
            return user
        return await _plan_at(rows, user, next_slot(now, user.ask_at, user.zone, last_day=user.last_day))

    async def _replan(self, rows: Rows, user: User, now: datetime) -> User:
        """After a change of hour or zone: no date is asked twice, and none that was planned is lost."""
        if not user.reachable or user.ask_at is None or user.zone is None:
            return user
        slot = changed_slot(now, user.planned, user.ask_at, user.zone, last_day=user.last_day)
        return await _plan_at(rows, user, slot)


async def _plan_at(rows: Rows, user: User, slot: Slot) -> User:
    return await rows.users.change(user, next_ask_at=slot.at, next_ask_day=slot.day)
