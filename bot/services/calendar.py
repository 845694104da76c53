"""Stores what `domain.planning` decides."""

from dataclasses import fields, replace
from datetime import date
from typing import Any

from bot.domain.model import Rest, User
from bot.domain.planning import asked_now, changed
from bot.services.visit import Visit
from bot.storage.store import Rows


async def replan(visit: Visit, **facts: Any) -> User:
    """Change facts of a user, among them such as decide on the next Ask, and plan that anew."""
    after, rests = changed(visit.user, replace(visit.user, **facts), visit.now)
    return await _store(visit.rows, visit.user, after, rests)


async def ask_now(visit: Visit, day: date) -> User:
    """Note that `day` has its Ask, put at the user's own wish, and plan the next one."""
    await visit.rows.rests.give_up(visit.user.id, day)
    after, rests = asked_now(visit.user, day, visit.now)
    return await _store(visit.rows, visit.user, after, rests)


async def _store(rows: Rows, before: User, after: User, rests: tuple[Rest, ...]) -> User:
    await rows.rests.add([(before.id, rest) for rest in rests])
    names = (field.name for field in fields(User))
    facts = {name: getattr(after, name) for name in names if getattr(after, name) != getattr(before, name)}
    return await rows.users.change(before, **facts) if facts else before
