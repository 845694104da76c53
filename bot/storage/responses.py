"""Rows of Responses: at most one per Reflection.

Words, if there are any, are sealed with the receiver's data key, for the sharer of this Reflection, who can read them
only once they are sent. How it landed is sealed with the sharer's data key.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.crypto import open_sealed
from bot.domain.sharing import Response, ResponseKind
from bot.storage.damage import Place, open_or_damaged, open_or_none
from bot.storage.schema import reflections, responses
from bot.storage.ties import of_landing, of_response
from bot.storage.users import Users

_WELL: Final = "well"
_BADLY: Final = "badly"
_WITH_SHARER: Final = select(responses, reflections.c.user_id.label("sharer_id")).join(
    reflections, reflections.c.id == responses.c.reflection_id
)


class Responses:
    """Responses, as seen by the receiver, who responds, and by the sharer."""

    def __init__(self, connection: AsyncConnection, users: Users) -> None:
        self._connection = connection
        self._users = users

    async def add(self, response: Response, words: str | None = None) -> None:
        """Store a Response, replacing an unsent one to the same Reflection."""
        replaced = await self._connection.execute(
            delete(responses).where(responses.c.reflection_id == response.reflection_id, responses.c.sent_at.is_(None))
        )
        self._users.removed_words |= bool(replaced.rowcount)
        sealed = None
        if words is not None:
            sealed = await self._seal(response, words, sent=response.sent_at is not None)
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
        """Return the Response if this user is the receiver."""
        query = select(responses).where(responses.c.user_id == user_id, responses.c.id == response_id)
        row = (await self._connection.execute(query)).one_or_none()
        return _response(row) if row else None

    async def unsent(self, user_id: int, reflection_id: int) -> Response | None:
        """Return this receiver's Response to a Reflection that isn't sent yet."""
        query = select(responses).where(
            responses.c.user_id == user_id, responses.c.reflection_id == reflection_id, responses.c.sent_at.is_(None)
        )
        row = (await self._connection.execute(query)).one_or_none()
        return _response(row) if row else None

    async def theirs(self, user_id: int, response_id: int) -> Response | None:
        """Return the Response if it was sent to this user, the sharer."""
        return await self._sent(responses.c.id == response_id, reflections.c.user_id == user_id)

    async def to(self, reflection_id: int) -> Response | None:
        """Return the sent Response to a Reflection. The caller has checked that its sharer is asking."""
        return await self._sent(responses.c.reflection_id == reflection_id)

    async def send(self, response: Response, now: datetime) -> bool:
        """Mark the Response as sent. False if it was sent before. Raises CannotOpen."""
        facts: dict[str, Any] = {"sent_at": now}
        row = (await self._connection.execute(_WITH_SHARER.where(responses.c.id == response.id))).one_or_none()
        if row and row.words is not None and row.sent_at is None:
            words = open_sealed(await self._users.data_key(row.user_id), row.words, **await self._place(row))
            facts["words"] = await self._seal(response, words, sent=True)
        done = await self._connection.execute(
            update(responses).where(responses.c.id == response.id, responses.c.sent_at.is_(None)).values(facts)
        )
        return bool(done.rowcount)

    async def landed(self, response: Response, *, well: bool) -> bool:
        """Store how it landed, as the sharer says. False if they said it before."""
        sharer_id = await self._sharer(response.reflection_id)
        landing = await self._users.seal(
            sharer_id, as_said(well=well), table="responses", column="landing", row=response.id,
            tied_to=of_landing(response.reflection_id),
        )  # fmt: skip
        done = await self._connection.execute(
            update(responses)
            .where(responses.c.id == response.id, responses.c.landing.is_(None), responses.c.landed.is_(None))
            .values(landing=landing)
        )
        return bool(done.rowcount)

    async def drop(self, response: Response) -> None:
        """Delete a Response that was not sent."""
        await self._connection.execute(
            delete(responses).where(responses.c.id == response.id, responses.c.sent_at.is_(None))
        )
        self._users.removed_words = True

    async def sent_to(self, reflection_ids: list[int]) -> list[int]:
        """Return the ids of the Responses to these Reflections."""
        found = await self._connection.execute(
            select(responses.c.id).where(responses.c.reflection_id.in_(reflection_ids))
        )
        return list(found.scalars())

    async def words(self, response: Response) -> str | None:
        """Return the words, for somebody who found it by `mine` or `theirs`; DAMAGED if they don't open."""
        row = (await self._connection.execute(_WITH_SHARER.where(responses.c.id == response.id))).one_or_none()
        if row is None or row.words is None:
            return None
        return open_or_damaged(await self._users.data_key(row.user_id), row.words, **await self._place(row))

    async def _sent(self, *conditions: Any) -> Response | None:
        query = _WITH_SHARER.where(*conditions, responses.c.sent_at.is_not(None))
        row = (await self._connection.execute(query)).one_or_none()
        return replace(_response(row), landed=await self._landed(row)) if row else None

    async def _landed(self, row: Row[Any]) -> bool | None:
        """Return how it landed, as the sharer has said; None if they haven't. A damaged answer counts as well."""
        if row.landing is None:
            return bool(row.landed) if row.landed is not None and await self._users.untied(row.sharer_id) else None
        place = await self._users.place(
            row.sharer_id, table="responses", column="landing", row=row.id, tied_to=of_landing(row.reflection_id)
        )
        return open_or_none(await self._users.data_key(row.sharer_id), row.landing, **place) != _BADLY

    async def _sharer(self, reflection_id: int) -> int:
        found = await self._connection.execute(select(reflections.c.user_id).where(reflections.c.id == reflection_id))
        return int(found.scalar_one())

    async def _seal(self, response: Response, words: str, *, sent: bool) -> bytes:
        ties = of_response(response.reflection_id, await self._sharer(response.reflection_id), sent=sent)
        return await self._users.seal(
            response.user_id, words, table="responses", column="words", row=response.id, tied_to=ties
        )

    async def _place(self, row: Row[Any]) -> Place:
        ties = of_response(row.reflection_id, row.sharer_id, sent=row.sent_at is not None)
        return await self._users.place(row.user_id, table="responses", column="words", row=row.id, tied_to=ties)


def as_said(*, well: bool) -> str:
    """Return the text that we seal for how it landed."""
    return _WELL if well else _BADLY


def _response(row: Row[Any]) -> Response:
    return Response(
        id=row.id,
        reflection_id=row.reflection_id,
        user_id=row.user_id,
        answer=ResponseKind(row.answer),
        sent_at=row.sent_at,
    )
