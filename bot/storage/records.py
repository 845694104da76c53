"""Rows of records: what a user wrote in sharing that no other row contains any more.

That is what came along from another bot, where the other rows of it stayed, and what would go with the rows of a
partner who erases everything. Only its owner ever gets to see it, in an export; it can't go out again.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.damage import open_or_none
from bot.storage.ids import rising_id
from bot.storage.schema import records
from bot.storage.users import Users

Entries = Mapping[str, Sequence[Mapping[str, Any]]]
"""Entries of an export by the name of their section."""


class Records:
    """Records, for their owner."""

    def __init__(self, connection: AsyncConnection, users: Users) -> None:
        self._connection = connection
        self._users = users

    async def add(self, user_id: int, kept: Iterable[Entries], now: datetime) -> None:
        """Store these, one row each, behind those that are there."""
        rows = []
        for entries in kept:
            record_id = rising_id(now)
            content = json.dumps(entries, ensure_ascii=False, separators=(",", ":"))
            sealed = await self._users.seal(
                user_id, content, table="records", column="content", row=record_id, tied_to=()
            )
            rows.append({"id": record_id, "user_id": user_id, "content": sealed})
        if rows:
            await self._connection.execute(insert(records), rows)

    async def of(self, user_id: int, after: int, limit: int) -> list[tuple[int, Entries]]:
        """Return the next records by id, leaving out those that no longer open."""
        found = await self._connection.execute(
            select(records.c.id, records.c.content)
            .where(records.c.user_id == user_id, records.c.id > after)
            .order_by(records.c.id)
            .limit(limit)
        )
        opened = []
        for row in found.all():
            place = await self._users.place(user_id, table="records", column="content", row=row.id, tied_to=())
            content = open_or_none(await self._users.data_key(user_id), row.content, **place)
            opened.append((row.id, json.loads(content) if content else {}))
        return opened
