"""Databases as they are after a while: many people who have done the start, some of them just asked."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from bot.crypto import KeyRing, new_data_key
from bot.domain.model import POLICY_VERSION, AskState
from bot.storage.migrate import migrate
from bot.storage.schema import asks, users
from bot.storage.store import MINIMISED, TIED, Store
from bot.storage.users import seal_muted
from tests.databases import sqlite_url
from tests.standin import TEST_KEY

BATCH = 10_000


def ring() -> KeyRing:
    return KeyRing.parse(TEST_KEY)


async def seed(url: str, *, first: int, count: int, now: datetime, asked: bool = False, due: int = 0) -> None:
    """Fill a database: `count` users with ids from `first` on.

    The first `due` are due now, the others spread over the next day. With `asked`, each has an open Ask of today, and
    nobody is due before tomorrow.
    """
    tomorrow = now.replace(hour=0, minute=0) + timedelta(days=1)
    await migrate(url)
    store = Store.at(url, ring())
    try:
        for start in range(0, count, BATCH):
            numbers = range(start, min(start + BATCH, count))
            async with store.writing() as rows:
                for done in (MINIMISED, TIED):  # as in any database that this version has made
                    await rows.take_note(done, "1")
                connection = rows._connection
                await connection.execute(
                    insert(users), [_user(first + n, n < due, n / count, tomorrow if asked else now) for n in numbers]
                )
                if asked:
                    await connection.execute(insert(asks), [_ask(first + n, now) for n in numbers])
        await store.sweep()
    finally:
        await store.close()


async def seed_many(file: Path, *, count: int, now: datetime, due: int = 0) -> Path:
    """Make a database of very many users with ids from 1 on, unless it is there; return its file.

    The first `due` are due now. After these and a BATCH, users are copies of earlier ones and have their data keys,
    which nobody opens: making a million keys takes minutes.
    """
    if file.exists():  # noqa: ASYNC240  # nothing else goes on meanwhile
        return file
    await seed(sqlite_url(file), first=1, count=min(count, due + BATCH), now=now, due=due)
    names = [column.name for column in users.c]
    store = Store.at(sqlite_url(file), ring())
    try:
        for shift in range(BATCH, count - due, BATCH):
            last = min(due + BATCH, count - shift)
            copies = select(users.c.id + shift, *users.c[1:]).where(users.c.id > due, users.c.id <= last)
            async with store.writing() as rows:
                await rows._connection.execute(insert(users).from_select(names, copies))
        await store.sweep()
    finally:
        await store.close()
    return file


def _user(user_id: int, due: bool, share: float, now: datetime) -> dict[str, Any]:
    """A user whose next Ask is due now, or after this share of the next day."""
    at = now if due else now + timedelta(hours=1) + timedelta(hours=22) * share
    key = new_data_key()
    return {
        "id": user_id, "data_key": ring().wrap(key, user_id), "language": "en", "telegram_language": "en",
        "created_at": now,
        "muted": seal_muted(key, user_id, frozenset(), frozenset()),
        "consented_at": now, "consent_version": POLICY_VERSION, "ask_at": time(at.hour, at.minute), "zone": "UTC",
        "depth": 1, "ceiling": 2, "next_ask_at": at, "next_ask_day": at.date(),
    }  # fmt: skip


def _ask(user_id: int, now: datetime) -> dict[str, Any]:
    return {
        "id": user_id << 21, "user_id": user_id, "day": now.astimezone(UTC).date(), "state": AskState.OPEN,
        "due_at": now, "shown_at": now, "prompt_id": None,
    }  # fmt: skip
