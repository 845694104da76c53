"""Setting up, step by step, and whether Telegram lets us write."""

from datetime import datetime, time
from typing import Final

from bot.domain.model import Step, User
from bot.domain.results import (
    ClockWanted,
    ConsentWanted,
    HourWanted,
    Paused,
    Ready,
    Result,
    Silence,
)
from bot.domain.times import is_zone
from bot.services.planning import replan
from bot.services.visit import Visit
from bot.storage.store import Rows

_LONGEST_TAG: Final = 35
"""The most characters that a language tag needs (RFC 5646, 4.4.1)."""


def next_step(user: User | None, now: datetime, *, again: bool = False) -> Result:
    """Return what is still to be asked while setting up, or that everything is done."""
    step = user.step if user else Step.CONSENT
    if step is Step.CONSENT:
        return ConsentWanted()
    if step is Step.HOUR:
        return HourWanted()
    if step is Step.ZONE:
        return ClockWanted()
    if user is None or user.paused_at:
        return Paused(user.next_ask_at if user else None, already=True)
    return Ready(user.next_ask_at or now, again=again)


class Profile:
    """Use cases around becoming and being a user. `rows` is the transaction they happen in."""

    async def consent(self, rows: Rows, user: User | None, user_id: int, language: str, now: datetime) -> Result:
        """The user is 18 or older and agrees; from here on we store something."""
        if user is None:
            user = await rows.users.add(user_id, language, now)
        return next_step(user, now)

    async def set_hour(self, visit: Visit, at: time) -> Result:
        return next_step(await replan(visit, ask_at=at), visit.now)

    async def set_zone(self, visit: Visit, zone: str) -> Result:
        if not is_zone(zone):
            return ClockWanted(unclear=True)
        return next_step(await replan(visit, zone=zone), visit.now)

    async def speaks(self, visit: Visit, language: str, tag: str | None = None) -> User:
        """Follow the language of the user's Telegram, unless the user has chosen one here; store its tag."""
        facts = {} if visit.user.language_chosen else {"language": language}
        facts |= {"telegram_language": tag[:_LONGEST_TAG]} if tag else {}
        changed = {name: fact for name, fact in facts.items() if getattr(visit.user, name) != fact}
        return await visit.rows.users.change(visit.user, **changed) if changed else visit.user

    async def blocked(self, rows: Rows, user: User | None, now: datetime) -> Result:
        """Telegram no longer lets us write to this user. Nothing is deleted."""
        if user and not user.blocked_at:
            await replan(Visit(rows, user, now), blocked_at=now)
        return Silence()

    async def unblocked(self, rows: Rows, user: User | None, now: datetime) -> Result:
        """Telegram lets us write again: continue with the next date, without what was missed."""
        if user and user.blocked_at:
            await replan(Visit(rows, user, now), blocked_at=None)
            await rows.notices.resume(user.id, now)  # what others have shared with them
        return Silence()
