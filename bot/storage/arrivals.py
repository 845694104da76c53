"""Rows of Arrivals: exports that an operator has imported, until their owners take them in.

The owner hasn't agreed to anything here yet and so has no data key. An Arrival is sealed with a key made from the
master key and the owner's id, like an update.
"""

import asyncio
import base64
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.crypto import CannotOpen, KeyRing, WrongKey, open_sealed, seal
from bot.storage.conflicts import insert_into
from bot.storage.schema import arrivals

_PURPOSE: Final = "arrivals"
_TABLE: Final = "arrivals"
_COLUMN: Final = "content"


@dataclass(frozen=True, slots=True)
class Arrival:
    """An export that waits for its owner's yes, as stored."""

    user_id: int
    version: int
    """The version of the master key that sealed it."""
    content: bytes
    """The sealed documents of the export, divided by `bot.storage.importing`."""


class Arrivals:
    """Arrivals, at most one per person."""

    def __init__(self, connection: AsyncConnection, keys: KeyRing) -> None:
        self._connection = connection
        self._keys = keys

    async def seal(self, user_id: int, content: bytes) -> Arrival:
        """Seal an export for this person, before the transaction that stores it."""
        version = self._keys.current
        sealed = await asyncio.to_thread(_packed, self._key(user_id, version), user_id, content)
        return Arrival(user_id, version, sealed)

    async def put(self, arrival: Arrival, now: datetime) -> None:
        """Store an Arrival, replacing an earlier one for the same person."""
        facts = {"version": arrival.version, "content": arrival.content, "arrived_at": now}
        new = insert_into(self._connection.dialect.name, arrivals).values(user_id=arrival.user_id, **facts)
        await self._connection.execute(new.on_conflict_do_update(index_elements=["user_id"], set_=facts))

    async def waits(self, user_id: int) -> bool:
        """Return whether there is an Arrival for this person."""
        found = await self._connection.execute(select(arrivals.c.user_id).where(arrivals.c.user_id == user_id))
        return found.first() is not None

    async def find(self, user_id: int) -> bytes | None:
        """Return the content of this person's Arrival; None if there is none, or if it no longer opens."""
        found = await self._connection.execute(select(arrivals).where(arrivals.c.user_id == user_id))
        if (row := found.one_or_none()) is None:
            return None
        try:
            return await asyncio.to_thread(_unpacked, self._key(user_id, row.version), row.content, user_id)
        except (CannotOpen, WrongKey):
            return None

    async def drop(self, user_id: int) -> bool:
        """Remove this person's Arrival. True if there was one."""
        done = await self._connection.execute(delete(arrivals).where(arrivals.c.user_id == user_id))
        return bool(done.rowcount)

    async def drop_before(self, moment: datetime) -> None:
        await self._connection.execute(delete(arrivals).where(arrivals.c.arrived_at < moment))

    def _key(self, user_id: int, version: int) -> bytes:
        return self._keys.digest(_PURPOSE, str(user_id), version=version)


def _packed(key: bytes, user_id: int, content: bytes) -> bytes:
    text = base64.b64encode(zlib.compress(content)).decode("ascii")
    return seal(key, text, table=_TABLE, column=_COLUMN, row=user_id, user=user_id)


def _unpacked(key: bytes, sealed: bytes, user_id: int) -> bytes:
    """Raises CannotOpen."""
    text = open_sealed(key, sealed, table=_TABLE, column=_COLUMN, row=user_id, user=user_id)
    return zlib.decompress(base64.b64decode(text))
