"""Stores what `domain.planning` decides."""

from dataclasses import fields, replace
from datetime import date
from typing import Any

from bot.domain.model import SkippedSpan, User
from bot.domain.planning import asked_now, changed
from bot.services.visit import Visit
from bot.storage.store import Rows


async def replan(visit: Visit, **facts: Any) -> User:
    """Change facts of a user, some of which the next Ask depends on, and plan that Ask again."""
    after, skipped = changed(visit.user, replace(visit.user, **facts), visit.now)
    return await _store(visit.rows, visit.user, after, skipped)


async def ask_now(visit: Visit, day: date) -> User:
    """Record that `day` has its Ask, sent at the user's own request, and plan the next one."""
    await visit.rows.skipped.give_up(visit.user.id, day)
    after, skipped = asked_now(visit.user, day, visit.now)
    return await _store(visit.rows, visit.user, after, skipped)


async def _store(rows: Rows, before: User, after: User, skipped: tuple[SkippedSpan, ...]) -> User:
    await rows.skipped.add([(before.id, span) for span in skipped])
    names = (field.name for field in fields(User))
    facts = {name: getattr(after, name) for name in names if getattr(after, name) != getattr(before, name)}
    return await rows.users.change(before, **facts) if facts else before
