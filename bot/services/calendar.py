"""Stores what `domain.planning` decides."""

from dataclasses import fields, replace
from datetime import date, datetime
from typing import Any

from bot.domain.model import Rest, User
from bot.domain.planning import asked_now, changed
from bot.storage.store import Rows


async def replan(rows: Rows, user: User, now: datetime, **facts: Any) -> User:
    """Change facts of a user, among them such as decide on the next Ask, and plan that anew."""
    after, rests = changed(user, replace(user, **facts), now)
    return await _store(rows, user, after, rests)


async def ask_now(rows: Rows, user: User, day: date, now: datetime) -> User:
    """Note that `day` has its Ask, put at the user's own wish, and plan the next one."""
    await rows.rests.give_up(user.id, day)
    after, rests = asked_now(user, day, now)
    return await _store(rows, user, after, rests)


async def _store(rows: Rows, before: User, after: User, rests: tuple[Rest, ...]) -> User:
    await rows.rests.add([(before.id, rest) for rest in rests])
    names = (field.name for field in fields(User))
    facts = {name: getattr(after, name) for name in names if getattr(after, name) != getattr(before, name)}
    return await rows.users.change(before, **facts) if facts else before
