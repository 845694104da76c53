"""Rows of updates that wait until their user's data key opens again.

Telegram hands out at most a hundred updates, starting with the oldest unconfirmed one. Updates of a user whose key is
damaged would eventually block everybody else's. They contain words, so each is sealed with a key derived from the
master key alone.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.crypto import KeyRing, open_sealed, seal
from bot.storage.conflicts import insert_into
from bot.storage.schema import held_updates, users

_TABLE: Final = "held_updates"
_COLUMN: Final = "raw"


@dataclass(frozen=True, slots=True)
class HeldUpdate:
    """An update as it came from Telegram."""

    id: int
    user_id: int
    raw: dict[str, Any]


class HeldUpdates:
    """Updates that wait for a data key."""

    def __init__(self, connection: AsyncConnection, keys: KeyRing) -> None:
        self._connection = connection
        self._keys = keys

    async def add(self, update: HeldUpdate, now: datetime) -> bool:
        """Hold the update if it isn't held already. False if there is no such user."""
        user = select(users.c.id).where(users.c.id == update.user_id)
        if (await self._connection.execute(user)).first() is None:
            return False
        version = self._keys.current
        key = self._key(update.id, version)
        words = json.dumps(update.raw)
        sealed = seal(key, words, table=_TABLE, column=_COLUMN, row=update.id, user=update.user_id)
        statement = insert_into(self._connection.dialect.name, held_updates).values(
            id=update.id, user_id=update.user_id, version=version, raw=sealed, held_at=now
        )
        await self._connection.execute(statement.on_conflict_do_nothing())
        return True

    async def users(self) -> list[int]:
        """Return the users whose updates are waiting."""
        found = await self._connection.execute(select(held_updates.c.user_id).distinct())
        return list(found.scalars())

    async def first_of(self, user_id: int) -> HeldUpdate | None:
        """Return this user's oldest waiting update. Raises CannotOpen."""
        query = select(held_updates).where(held_updates.c.user_id == user_id).order_by(held_updates.c.id).limit(1)
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            return None
        key = self._key(row.id, row.version)
        words = open_sealed(key, row.raw, table=_TABLE, column=_COLUMN, row=row.id, user=user_id)
        return HeldUpdate(row.id, user_id, json.loads(words))

    async def remove(self, update_id: int) -> None:
        """Remove an update that was handled."""
        await self._connection.execute(delete(held_updates).where(held_updates.c.id == update_id))

    def _key(self, update_id: int, version: int) -> bytes:
        return self._keys.digest("held update", str(update_id), version=version)
