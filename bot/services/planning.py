"""Stores what `domain.planning` decides."""

from dataclasses import fields, replace
from datetime import date
from typing import Any

from bot.domain.model import SkippedSpan, User
from bot.domain.planning import asked_now, changed, placed
from bot.services.visit import Visit
from bot.storage.store import Rows


async def replan(visit: Visit, **facts: Any) -> User:
    """Change facts of a user that the next Ask depends on, and plan that Ask again.

    The very first Ask may be planned to come again on its date. If it now isn't, that date has had its Ask.
    """
    before = visit.user
    after, skipped = changed(before, replace(before, **facts), visit.now)
    if before.next_ask_day and after.next_ask_day != before.next_ask_day:
        ask = await visit.rows.asks.latest(before.id)
        if ask and ask.day == before.next_ask_day:
            had = replace(before, next_ask_at=None, next_ask_day=None, last_day=ask.day)
            after, skipped = changed(had, replace(had, **facts), visit.now)
    return await _store(visit.rows, visit.user, after, skipped)


async def place(visit: Visit, zone: str, day: date, *, is_open: bool) -> User:
    """Set the zone of a user whose first Ask came on `day`, and plan the next Ask."""
    after, skipped = placed(visit.user, zone, day, visit.now, is_open=is_open)
    return await _store(visit.rows, visit.user, after, skipped)


async def take_planned(visit: Visit, day: date) -> User:
    """Don't repeat an Ask at its hour on `day` if it was already asked before that hour."""
    return await ask_now(visit, day) if visit.user.next_ask_day == day else visit.user


async def ask_now(visit: Visit, day: date) -> User:
    """Record that `day` has its Ask, sent at the user's own request, and plan the next one."""
    await visit.rows.skipped.take_out(visit.user.id, day)
    after, skipped = asked_now(visit.user, day, visit.now)
    return await _store(visit.rows, visit.user, after, skipped)


async def _store(rows: Rows, before: User, after: User, skipped: tuple[SkippedSpan, ...]) -> User:
    await rows.skipped.add([(before.id, span) for span in skipped])
    names = (field.name for field in fields(User))
    facts = {name: getattr(after, name) for name in names if getattr(after, name) != getattr(before, name)}
    return await rows.users.change(before, **facts) if facts else before
