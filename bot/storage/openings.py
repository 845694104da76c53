"""Rows of openings: which Reflections a receiver has opened, which message shows each, and whether it is answered.

They belong to the receiver and don't depend on anything the sharer does later: after opening a Reflection, the bot asks
about a typed text in the same way whether or not the sharer is still there.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.sharing import Opening
from bot.storage.schema import openings

# Statements that every turn needs are built once: building one takes longer than executing it.
_OF_USER: Final = select(openings).where(openings.c.user_id == bindparam("user_id"))
_FIND: Final = _OF_USER.where(openings.c.reflection_id == bindparam("reflection_id"))
_SHOWN_BY: Final = _OF_USER.where(openings.c.message_id == bindparam("message_id"))
LATEST_OPENING: Final = _OF_USER.order_by(openings.c.opened_at.desc()).limit(1)


class Openings:
    """The Reflections that receivers have opened."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, opening: Opening) -> None:
        await self._connection.execute(
            insert(openings).values(
                user_id=opening.user_id,
                reflection_id=opening.reflection_id,
                pair_id=opening.pair_id,
                opened_at=opening.opened_at,
            )
        )

    async def find(self, user_id: int, reflection_id: int) -> Opening | None:
        return await self._one(_FIND, user_id=user_id, reflection_id=reflection_id)

    async def shown_by(self, user_id: int, message_id: int) -> Opening | None:
        """Return the opening of the Reflection that this message shows."""
        return await self._one(_SHOWN_BY, user_id=user_id, message_id=message_id)

    async def latest(self, user_id: int, since: datetime) -> Opening | None:
        """Return the newest opening after `since`, answered or not."""
        opening = await self._one(LATEST_OPENING, user_id=user_id)
        return opening if opening and opening.opened_at > since else None

    async def show_on(self, user_id: int, reflection_id: int, message_id: int) -> None:
        """Note which message shows the words."""
        await self._change(user_id, reflection_id, message_id=message_id)

    async def answer(self, user_id: int, reflection_id: int) -> bool:
        """Note that there is an answer, sent or about to be. False if there already was one."""
        return await self._change(user_id, reflection_id, openings.c.answered == 0, answered=1)

    async def unanswer(self, user_id: int, reflection_id: int) -> None:
        """Note that the answer was undone."""
        await self._change(user_id, reflection_id, answered=0)

    async def _change(self, user_id: int, reflection_id: int, *conditions: Any, **facts: Any) -> bool:
        done = await self._connection.execute(
            update(openings)
            .where(openings.c.user_id == user_id, openings.c.reflection_id == reflection_id, *conditions)
            .values(**facts)
        )
        return bool(done.rowcount)

    async def _one(self, statement: Select[Any], **facts: Any) -> Opening | None:
        row = (await self._connection.execute(statement, facts)).one_or_none()
        return _opening(row) if row else None


def _opening(row: Row[Any]) -> Opening:
    return Opening(row.user_id, row.reflection_id, row.pair_id, row.opened_at, answered=bool(row.answered))
