"""Every data key and every sealed text there is, opened once to see that it can be."""

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Column, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.crypto import CannotOpen, KeyRing, open_sealed
from bot.storage.columns import Sealed
from bot.storage.schema import metadata, users

_BATCH: Final = 500
_NAMED: Final = 10
"""So many damaged places are named; the others are counted."""

SEALED: Final[Mapping[Table, tuple[Column[Any], ...]]] = {
    table: columns
    for table in metadata.sorted_tables
    if (columns := tuple(column for column in table.c if isinstance(column.type, Sealed)))
}


@dataclass(slots=True)
class Opened:
    """What could be opened, and what couldn't."""

    keys: int = 0
    texts: int = 0
    damaged: int = 0
    places: list[str] = field(default_factory=list)
    """The first damaged places, by table, column and row; nothing of what is in them."""

    def cannot(self, place: str) -> None:
        self.damaged += 1
        if len(self.places) < _NAMED:
            self.places.append(place)


class Seals:
    """Opens all there is, in batches."""

    def __init__(self, connection: AsyncConnection, keys: KeyRing) -> None:
        self._connection = connection
        self._keys = keys

    async def open_all(self) -> Opened:
        opened = Opened()
        async for rows in self._all(users, (users.c.data_key,)):
            for row in rows:
                if self._key(row.id, row.data_key) is None:
                    opened.cannot(f"users.data_key of user {row.id}")
                else:
                    opened.keys += 1
        for table, columns in SEALED.items():
            owner = table.c.id if table is users else table.c.user_id
            async for rows in self._all(table, (owner.label("owner"), *columns)):
                keys = await self._keys_of({row.owner for row in rows})
                for row in rows:
                    for column in columns:
                        self._open(column, row, keys.get(row.owner), opened)
        return opened

    def _open(self, column: Column[Any], row: Any, key: bytes | None, opened: Opened) -> None:
        if (sealed := getattr(row, column.name)) is None:
            return
        table = column.table.name
        try:
            if key is None:
                raise CannotOpen
            open_sealed(key, sealed, table=table, column=column.name, row=row.id, user=row.owner)
        except (CannotOpen, UnicodeDecodeError):
            opened.cannot(f"{table}.{column.name} of row {row.id}")
        else:
            opened.texts += 1

    async def _all(self, table: Table, columns: tuple[Any, ...]) -> AsyncIterator[list[Any]]:
        last = None
        while True:
            query = select(table.c.id, *columns).order_by(table.c.id).limit(_BATCH)
            rows = list(await self._connection.execute(query if last is None else query.where(table.c.id > last)))
            if not rows:
                return
            yield rows
            last = rows[-1].id

    async def _keys_of(self, owners: Collection[int]) -> dict[int, bytes | None]:
        found = await self._connection.execute(select(users.c.id, users.c.data_key).where(users.c.id.in_(owners)))
        return {row.id: self._key(row.id, row.data_key) for row in found}

    def _key(self, user_id: int, wrapped: bytes) -> bytes | None:
        try:
            return self._keys.unwrap(wrapped, user_id)
        except CannotOpen:
            return None
