"""Rows of Responses: at most one a Reflection. Words, where there are any, are sealed by the responder's data key."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.crypto import seal
from bot.domain.sharing import Answer, Response
from bot.storage.damage import open_or_damaged
from bot.storage.schema import reflections, responses
from bot.storage.users import Users


class Responses:
    """Responses, by their two sides."""

    def __init__(self, connection: AsyncConnection, users: Users) -> None:
        self._connection = connection
        self._users = users

    async def put(self, response: Response, words: str | None = None) -> None:
        """A Response, in place of one to the same Reflection that was not sent."""
        replaced = await self._connection.execute(
            delete(responses).where(responses.c.reflection_id == response.reflection_id, responses.c.sent_at.is_(None))
        )
        self._users.removed_words |= bool(replaced.rowcount)
        sealed = None
        if words is not None:
            key = await self._users.data_key(response.user_id)
            sealed = seal(key, words, table="responses", column="words", row=response.id, user=response.user_id)
        await self._connection.execute(
            insert(responses).values(
                id=response.id,
                user_id=response.user_id,
                reflection_id=response.reflection_id,
                answer=response.answer,
                words=sealed,
                sent_at=response.sent_at,
            )
        )

    async def mine(self, user_id: int, response_id: int) -> Response | None:
        """As the one who responds."""
        query = select(responses).where(responses.c.user_id == user_id, responses.c.id == response_id)
        row = (await self._connection.execute(query)).one_or_none()
        return _response(row) if row else None

    async def theirs(self, user_id: int, response_id: int) -> Response | None:
        """As the sharer it was sent to."""
        found = await self._connection.execute(
            select(responses)
            .join(reflections, reflections.c.id == responses.c.reflection_id)
            .where(responses.c.id == response_id, reflections.c.user_id == user_id, responses.c.sent_at.is_not(None))
        )
        row = found.one_or_none()
        return _response(row) if row else None

    async def to(self, reflection_id: int) -> Response | None:
        """The one that was sent, to a Reflection that was found by its sharer."""
        query = select(responses).where(responses.c.reflection_id == reflection_id, responses.c.sent_at.is_not(None))
        row = (await self._connection.execute(query)).one_or_none()
        return _response(row) if row else None

    async def send(self, response: Response, now: datetime) -> bool:
        """It is sent. False where it was before."""
        done = await self._connection.execute(
            update(responses).where(responses.c.id == response.id, responses.c.sent_at.is_(None)).values(sent_at=now)
        )
        return bool(done.rowcount)

    async def landed(self, response: Response, *, well: bool) -> bool:
        """What the sharer says about it. False where that was said before."""
        done = await self._connection.execute(
            update(responses)
            .where(responses.c.id == response.id, responses.c.landed.is_(None))
            .values(landed=int(well))
        )
        return bool(done.rowcount)

    async def drop(self, response: Response) -> None:
        """Let go of one that was not sent."""
        await self._connection.execute(
            delete(responses).where(responses.c.id == response.id, responses.c.sent_at.is_(None))
        )
        self._users.removed_words = True

    async def sent_to(self, reflection_ids: list[int]) -> list[int]:
        """The ids of the Responses to these Reflections."""
        found = await self._connection.execute(
            select(responses.c.id).where(responses.c.reflection_id.in_(reflection_ids))
        )
        return list(found.scalars())

    async def words(self, response: Response) -> str | None:
        """Its words, for whoever found it by `mine` or `theirs`; DAMAGED where they don't open."""
        found = await self._connection.execute(select(responses.c.words).where(responses.c.id == response.id))
        sealed = found.scalar_one_or_none()
        if sealed is None:
            return None
        key = await self._users.data_key(response.user_id)
        return open_or_damaged(key, sealed, table="responses", column="words", row=response.id, user=response.user_id)


def _response(row: Row[Any]) -> Response:
    return Response(
        id=row.id,
        reflection_id=row.reflection_id,
        user_id=row.user_id,
        answer=Answer(row.answer),
        sent_at=row.sent_at,
        landed=None if row.landed is None else bool(row.landed),
    )
