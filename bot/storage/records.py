"""Rows of records: texts that a user wrote in sharing and that no other row contains any more.

They come from another bot, whose other rows stayed there, or would have been deleted with the rows of a partner who
erased everything. Only their owner ever sees them, in an export; they can't go out again.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.crypto import seal
from bot.storage.damage import open_or_none
from bot.storage.ids import rising_id
from bot.storage.schema import records
from bot.storage.users import Users

Entries = Mapping[str, Sequence[Mapping[str, Any]]]
"""Entries of an export, by the name of their section."""
_ADD: Final = insert(records)


class Records:
    """Records, for their owner."""

    def __init__(self, connection: AsyncConnection, users: Users) -> None:
        self._connection = connection
        self._users = users

    async def add(self, user_id: int, kept: Iterable[Entries], now: datetime) -> None:
        """Store these records, one row each, after the existing ones."""
        key = await self._users.data_key(user_id)
        contents = await asyncio.to_thread(_packed, kept)
        ids = [rising_id(now) for _ in contents]
        sealed = await asyncio.to_thread(_sealed, key, user_id, dict(zip(ids, contents, strict=True)))
        if sealed:
            rows = [{"id": row, "user_id": user_id, "content": content} for row, content in sealed.items()]
            await self._connection.execute(_ADD, rows)

    async def of(self, user_id: int, after: int, limit: int) -> list[tuple[int, Entries]]:
        """Return the next `limit` records after an id. Those that no longer open come without entries."""
        found = await self._connection.execute(
            select(records.c.id, records.c.content)
            .where(records.c.user_id == user_id, records.c.id > after)
            .order_by(records.c.id)
            .limit(limit)
        )
        key, untied = await self._users.data_key(user_id), await self._users.untied(user_id)
        return await asyncio.to_thread(_opened, key, user_id, found.all(), untied=untied)


# A record holds up to a hundred entries, so all of this is done in a thread.


def _packed(kept: Iterable[Entries]) -> list[str]:
    return [json.dumps(entries, ensure_ascii=False, separators=(",", ":")) for entries in kept]


def _sealed(key: bytes, user_id: int, contents: Mapping[int, str]) -> dict[int, bytes]:
    return {
        row: seal(key, content, table="records", column="content", row=row, user=user_id)
        for row, content in contents.items()
    }


def _opened(key: bytes, user_id: int, rows: Sequence[Any], *, untied: bool) -> list[tuple[int, Entries]]:
    opened = []
    for row in rows:
        content = open_or_none(
            key, row.content, table="records", column="content", row=row.id, user=user_id, untied=untied
        )
        opened.append((row.id, json.loads(content) if content else {}))
    return opened
