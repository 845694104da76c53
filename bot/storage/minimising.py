"""Brings rows of earlier versions to today's level of privacy: prompts hidden, text sizes evened out, times coarse.

A migration has no key, so this runs afterwards, user by user, while the bot works, and after everything is tied. It
takes few rows at a time, so that no answer waits for it. If it is interrupted, it starts again, and skips quickly over
what is already done.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, Table, Update, bindparam, func, literal, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.crypto import CannotOpen, open_sealed, room_for, sealed_length
from bot.storage.columns import quarter_of
from bot.storage.prompt_ids import WITH_PROMPTS, PromptIds
from bot.storage.schema import lines, users
from bot.storage.seals import KINDS, Kind
from bot.storage.users import Users

_ROWS: Final = 50
"""How many rows we read and reseal in one transaction, which takes about two milliseconds."""
_COARSEN: Final = (
    update(lines)
    .where(lines.c.id == bindparam("about"))
    .values(
        kept_at=bindparam("kept", type_=lines.c.kept_at.type),
        changed_at=bindparam("changed", type_=lines.c.changed_at.type),
    )
)


@cache
def _resealing(column: Column[Any], key: Column[Any]) -> Update:
    """Return the statement that stores this column of a row anew, which is named by `key`."""
    sealed = bindparam("sealed", type_=column.type)
    return update(column.table).where(key == bindparam("about")).values({column.name: sealed})


class Position(NamedTuple):
    """Where to go on with a user's rows."""

    part: int = 0
    after: Any = None
    """The last row of this part that is done."""


class _Done(NamedTuple):
    """The outcome of handling some rows of a part."""

    rows: int
    after: Any
    """The last of them; None if the part is done."""


_Part = Callable[[int, Any, int], Awaitable[_Done]]


class _Coarsened(NamedTuple):
    """The last Line made coarse: its old position, from which we go on, and its number within its quarter-hour."""

    kept_at: datetime
    message_id: int
    number: int


class Minimising:
    """Minimises the rows of users."""

    def __init__(self, connection: AsyncConnection, users: Users, prompt_ids: PromptIds) -> None:
        self._connection = connection
        self._users = users
        self._prompt_ids = prompt_ids

    @property
    def _parts(self) -> Sequence[_Part]:
        return (
            *(partial(self._hide_prompts, table, key) for table, key in WITH_PROMPTS),
            *(partial(self._even_out, kind) for kind in KINDS if room_for(kind.column.name)),
            self._coarsen_user,
            self._coarsen_lines,
        )

    async def minimise(self, user_id: int, place: Position = Position()) -> Position | None:  # noqa: B008  # it is immutable
        """Minimise some rows of this user, for whom the transaction must have been opened.

        Returns where to go on; None once everything is done. Values that don't open stay as they are. Raises
        KeyMismatch.
        """
        if await self._users.find(user_id) is None:
            return None
        await self._users.data_key(user_id)
        left = _ROWS
        for number, part in list(enumerate(self._parts))[place.part :]:
            if left <= 0:
                return Position(number)
            done, after = await part(user_id, place.after if number == place.part else None, left)
            if after is not None:
                return Position(number, after)
            left -= done
        return None

    async def _hide_prompts(self, table: Table, key: str, user_id: int, after: Any, limit: int) -> _Done:
        found = await self._prompt_ids.hide_some(table, key, user_id, after, limit)
        return _Done(len(found), found[-1] if len(found) == limit else None)

    async def _coarsen_user(self, user_id: int, _after: Any, _limit: int) -> _Done:
        mine = users.c.id == user_id
        created_at = (await self._connection.execute(select(users.c.created_at).where(mine))).scalar_one()
        await self._connection.execute(update(users).where(mine).values(created_at=created_at))  # the type rounds
        return _Done(1, None)

    async def _coarsen_lines(self, user_id: int, after: _Coarsened | None, limit: int) -> _Done:
        """Keep only the quarter-hour of each Line, and the order within it."""
        order = (lines.c.kept_at, lines.c.message_id)
        query = select(lines.c.id, *order, lines.c.changed_at).where(lines.c.user_id == user_id).order_by(*order)
        if after:
            place = (literal(after.kept_at, lines.c.kept_at.type), literal(after.message_id))
            query = query.where(tuple_(*order) > tuple_(*place))
        rows = (await self._connection.execute(query.limit(limit))).all()
        changes = []
        for row in rows:
            quarter = quarter_of(row.kept_at)
            number = after.number + 1 if after and quarter_of(after.kept_at) == quarter else 0
            after = _Coarsened(row.kept_at, row.message_id, number)
            kept_at = quarter + timedelta(milliseconds=number)
            changed_at = quarter_of(row.changed_at) if row.changed_at else None
            if (kept_at, changed_at) != (row.kept_at, row.changed_at):
                changes.append({"about": row.id, "kept": kept_at, "changed": changed_at})
        if changes:
            await self._connection.execute(_COARSEN, changes)
        return _Done(len(rows), after if len(rows) == limit else None)

    async def _even_out(self, kind: Kind, user_id: int, after: int | None, limit: int) -> _Done:
        """Reseal texts whose sealed form is shorter than today's padding makes it."""
        table, (key,) = kind.column.table, kind.column.table.primary_key.columns
        short = func.length(kind.column) < sealed_length(room_for(kind.column.name))
        query = select(key.label("about"), kind.row.label("row"), kind.column.label("sealed"), *kind.facts).where(
            kind.owner == user_id, short
        )
        query = query if kind.source is None else query.select_from(kind.source)
        query = query if after is None else query.where(key > after)
        query = query.order_by(key).limit(limit).with_for_update(of=table, key_share=True)
        rows = (await self._connection.execute(query)).all()
        changes: list[dict[str, Any]] = [
            {"about": row.about, "sealed": sealed}
            for row in rows
            if (sealed := await self._anew(user_id, kind, row)) is not None
        ]
        if changes:
            await self._connection.execute(_resealing(kind.column, key), changes)
            self._users.removed_words = True
        return _Done(len(rows), rows[-1].about if len(rows) == limit else None)

    async def _anew(self, user_id: int, kind: Kind, row: Any) -> bytes | None:
        place = {"table": kind.column.table.name, "column": kind.column.name, "row": row.row, "tied_to": kind.ties(row)}
        try:
            words = open_sealed(await self._users.data_key(user_id), row.sealed, user=user_id, **place)
        except CannotOpen:
            return None
        return await self._users.seal(user_id, words, **place)
