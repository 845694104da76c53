"""Rows of Expectations and Outcomes, sealed with the sharer's data key and read for nobody else."""

from typing import Any, Final

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.expectations import Reception
from bot.storage.damage import open_or_none
from bot.storage.schema import expectations
from bot.storage.users import Users

_TABLE = "expectations"

_OF_USER: Final = select(expectations).where(expectations.c.user_id == bindparam("sharer"))
_FIND: Final = _OF_USER.where(expectations.c.reflection_id == bindparam("about"))
_ANY: Final = _OF_USER.with_only_columns(expectations.c.reflection_id).limit(1)


class Expectations:
    """Expectations, and the Outcomes that came."""

    def __init__(self, connection: AsyncConnection, users: Users) -> None:
        self._connection = connection
        self._users = users

    async def expect(self, user_id: int, reflection_id: int, expected: Reception) -> bool:
        """Note the Expectation. False if there already is one, as the first answer stands."""
        if await self.find(user_id, reflection_id):
            return False
        sealed = await self._seal(user_id, reflection_id, "expected", expected)
        await self._connection.execute(
            insert(expectations).values(reflection_id=reflection_id, user_id=user_id, expected=sealed)
        )
        return True

    async def note(self, user_id: int, reflection_id: int, came: Reception) -> bool:
        """Note the Outcome. False if there is no Expectation, or if it was noted before."""
        sealed = await self._seal(user_id, reflection_id, "came", came)
        done = await self._connection.execute(
            update(expectations)
            .where(
                expectations.c.user_id == user_id,
                expectations.c.reflection_id == reflection_id,
                expectations.c.came.is_(None),
            )
            .values(came=sealed)
        )
        return bool(done.rowcount)

    async def find(self, user_id: int, reflection_id: int) -> tuple[Reception | None, Reception | None] | None:
        """Return the Expectation and the Outcome, each None if not known; None if there is no row."""
        found = await self._connection.execute(_FIND, {"sharer": user_id, "about": reflection_id})
        row = found.one_or_none()
        return await self._opened(row) if row else None

    async def any_of(self, user_id: int) -> bool:
        """Return whether this user has noted any Expectation, and so has said yes to being asked."""
        return (await self._connection.execute(_ANY, {"sharer": user_id})).first() is not None

    async def noted(self, user_id: int) -> list[tuple[Reception, Reception]]:
        """Return all pairs of Expectation and Outcome."""
        found = await self._connection.execute(_OF_USER, {"sharer": user_id})
        opened = [await self._opened(row) for row in found.all()]
        return [(expected, came) for expected, came in opened if expected and came]

    async def drop_all(self, user_id: int) -> None:
        await self._connection.execute(delete(expectations).where(expectations.c.user_id == user_id))
        self._users.removed_words = True

    async def _opened(self, row: Any) -> tuple[Reception | None, Reception | None]:
        return await self._open(row, "expected"), await self._open(row, "came")

    async def _open(self, row: Any, column: str) -> Reception | None:
        if (sealed := getattr(row, column)) is None:
            return None
        place = await self._users.place(row.user_id, table=_TABLE, column=column, row=row.reflection_id, tied_to=())
        opened = open_or_none(await self._users.data_key(row.user_id), sealed, **place)
        return Reception(opened) if opened in set(Reception) else None

    async def _seal(self, user_id: int, reflection_id: int, column: str, reception: Reception) -> bytes:
        return await self._users.seal(user_id, reception, table=_TABLE, column=column, row=reflection_id, tied_to=())
