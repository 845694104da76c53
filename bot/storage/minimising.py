"""Makes what an earlier version of Ajar stored as little readable without the key as what this one stores.

A migration has no key, so this runs after it, user by user, while the bot works, and after everything is tied. If it is
interrupted, it begins again; what is done already takes little time then.
"""

import asyncio
from datetime import timedelta
from itertools import groupby
from typing import Any, Final

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.crypto import CannotOpen, open_sealed, room_for, sealed_length
from bot.storage.columns import quarter_of
from bot.storage.prompt_ids import PromptIds
from bot.storage.schema import lines, users
from bot.storage.seals import KINDS, Kind
from bot.storage.users import Users

_BREATH: Final = 50
"""How many texts we seal before we let other tasks run."""


class Minimising:
    """Rows of users from before prompts were hidden, sizes evened out and times coarse."""

    def __init__(self, connection: AsyncConnection, users: Users, prompt_ids: PromptIds) -> None:
        self._connection = connection
        self._users = users
        self._prompt_ids = prompt_ids

    async def minimise(self, user_id: int) -> None:
        """Do so with everything of this user, for whom the transaction must have been opened.

        What doesn't open stays as it is. Raises KeyMismatch.
        """
        if await self._users.find(user_id) is None:
            return
        await self._prompt_ids.hide_all(user_id)
        for kind in KINDS:
            if room_for(kind.column.name):
                await self._even_out(user_id, kind)
        await self._coarsen_users(user_id)
        await self._coarsen_lines(user_id)

    async def _coarsen_users(self, user_id: int) -> None:
        mine = users.c.id == user_id
        created_at = (await self._connection.execute(select(users.c.created_at).where(mine))).scalar_one()
        await self._connection.execute(update(users).where(mine).values(created_at=created_at))  # which is `Coarse`

    async def _coarsen_lines(self, user_id: int) -> None:
        """Keep only the quarter of an hour of each Line, and the order within it."""
        query = select(lines.c.id, lines.c.kept_at, lines.c.changed_at).where(lines.c.user_id == user_id)
        ordered = await self._connection.execute(query.order_by(lines.c.kept_at, lines.c.message_id))
        changes = []
        for quarter, rows in groupby(ordered.all(), lambda row: quarter_of(row.kept_at)):
            for place, row in enumerate(rows):
                kept_at = quarter + timedelta(milliseconds=place)
                changed_at = quarter_of(row.changed_at) if row.changed_at else None
                if (kept_at, changed_at) != (row.kept_at, row.changed_at):
                    changes.append({"about": row.id, "kept": kept_at, "changed": changed_at})
        if changes:
            coarser = {
                "kept_at": bindparam("kept", type_=lines.c.kept_at.type),
                "changed_at": bindparam("changed", type_=lines.c.changed_at.type),
            }
            await self._connection.execute(
                update(lines).where(lines.c.id == bindparam("about")).values(coarser), changes
            )

    async def _even_out(self, user_id: int, kind: Kind) -> None:
        """Seal those texts anew that are shorter than such a text is sealed now."""
        table, (key,) = kind.column.table, kind.column.table.primary_key.columns
        short = func.length(kind.column) < sealed_length(room_for(kind.column.name))
        query = select(key.label("about"), kind.row.label("row"), kind.column.label("sealed"), *kind.facts).where(
            kind.owner == user_id, short
        )
        query = query if kind.source is None else query.select_from(kind.source)
        changes: list[dict[str, Any]] = []
        for row in (await self._connection.execute(query.with_for_update(of=table, key_share=True))).all():
            if (sealed := await self._anew(user_id, kind, row)) is not None:
                changes.append({"about": row.about, "sealed": sealed})
            if len(changes) % _BREATH == 0:
                await asyncio.sleep(0)
        if changes:
            anew = {kind.column.name: bindparam("sealed", type_=kind.column.type)}
            await self._connection.execute(update(table).where(key == bindparam("about")).values(anew), changes)
            self._users.removed_words = True

    async def _anew(self, user_id: int, kind: Kind, row: Any) -> bytes | None:
        place = {"table": kind.column.table.name, "column": kind.column.name, "row": row.row, "tied_to": kind.ties(row)}
        try:
            words = open_sealed(await self._users.data_key(user_id), row.sealed, user=user_id, **place)
        except CannotOpen:
            return None
        return await self._users.seal(user_id, words, **place)
