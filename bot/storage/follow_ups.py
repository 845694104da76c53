"""Rows of Follow-ups: at most one per Response.

The words are sealed with the sharer's data key, for the receiver who asked and who can read them only once they are
sent.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.crypto import open_sealed
from bot.domain.sharing import FollowUp
from bot.storage.damage import Place, open_or_damaged
from bot.storage.schema import follow_ups, responses
from bot.storage.ties import of_follow_up
from bot.storage.users import Users

_WITH_RECEIVER: Final = select(follow_ups, responses.c.user_id.label("receiver_id")).join(
    responses, responses.c.id == follow_ups.c.response_id
)


class FollowUps:
    """Follow-ups, as seen by the sharer who answers and by the receiver who asked."""

    def __init__(self, connection: AsyncConnection, users: Users) -> None:
        self._connection = connection
        self._users = users

    async def add(self, follow_up: FollowUp, receiver_id: int, words: str) -> None:
        """Store a Follow-up, replacing one to the same Response that has no yes."""
        replaced = await self._connection.execute(
            delete(follow_ups).where(
                follow_ups.c.response_id == follow_up.response_id, follow_ups.c.said_yes_at.is_(None)
            )
        )
        self._users.removed_words |= bool(replaced.rowcount)
        sealed = await self._seal(follow_up, receiver_id, words, sent=False)
        await self._connection.execute(
            insert(follow_ups).values(
                id=follow_up.id, user_id=follow_up.user_id, response_id=follow_up.response_id, words=sealed
            )
        )

    async def mine(self, user_id: int, follow_up_id: int) -> FollowUp | None:
        """Return the Follow-up if this user is the sharer."""
        return await self._one(follow_ups.c.user_id == user_id, follow_ups.c.id == follow_up_id)

    async def to(self, response_id: int) -> FollowUp | None:
        """Return the Follow-up to a Response. The caller has checked that somebody is allowed to see it."""
        return await self._one(follow_ups.c.response_id == response_id)

    async def theirs(self, user_id: int, follow_up_id: int) -> FollowUp | None:
        """Return the Follow-up if it was sent to this user, the receiver."""
        return await self._one(
            responses.c.user_id == user_id, follow_ups.c.id == follow_up_id, follow_ups.c.sent_at.is_not(None)
        )

    async def say_yes(self, follow_up: FollowUp, now: datetime | None) -> bool:
        """Note the sharer's yes, or, with None, that it was undone. False if that was noted before, or it was sent."""
        before = follow_ups.c.said_yes_at.is_(None) if now else follow_ups.c.said_yes_at.is_not(None)
        done = await self._connection.execute(
            update(follow_ups)
            .where(follow_ups.c.id == follow_up.id, before, follow_ups.c.sent_at.is_(None))
            .values(said_yes_at=now)
        )
        return bool(done.rowcount)

    async def send(self, follow_up: FollowUp, now: datetime) -> None:
        """Mark it as sent. Raises CannotOpen."""
        row = (await self._connection.execute(_WITH_RECEIVER.where(follow_ups.c.id == follow_up.id))).one()
        words = open_sealed(await self._users.data_key(row.user_id), row.words, **await self._place(row))
        sealed = await self._seal(follow_up, row.receiver_id, words, sent=True)
        await self._connection.execute(
            update(follow_ups).where(follow_ups.c.id == follow_up.id).values(sent_at=now, words=sealed)
        )

    async def drop(self, follow_up: FollowUp) -> None:
        """Delete a Follow-up that has no yes."""
        await self._connection.execute(
            delete(follow_ups).where(follow_ups.c.id == follow_up.id, follow_ups.c.said_yes_at.is_(None))
        )
        self._users.removed_words = True

    async def words(self, follow_up: FollowUp) -> str | None:
        """Return the words, for somebody who found it by `mine` or `theirs`; DAMAGED if they don't open."""
        row = (await self._connection.execute(_WITH_RECEIVER.where(follow_ups.c.id == follow_up.id))).one_or_none()
        if row is None or row.words is None:
            return None
        return open_or_damaged(await self._users.data_key(row.user_id), row.words, **await self._place(row))

    async def _one(self, *conditions: Any) -> FollowUp | None:
        row = (await self._connection.execute(_WITH_RECEIVER.where(*conditions))).one_or_none()
        return FollowUp(row.id, row.response_id, row.user_id, row.said_yes_at, row.sent_at) if row else None

    async def _seal(self, follow_up: FollowUp, receiver_id: int, words: str, *, sent: bool) -> bytes:
        ties = of_follow_up(follow_up.response_id, receiver_id, sent=sent)
        return await self._users.seal(
            follow_up.user_id, words, table="follow_ups", column="words", row=follow_up.id, tied_to=ties
        )

    async def _place(self, row: Row[Any]) -> Place:
        ties = of_follow_up(row.response_id, row.receiver_id, sent=row.sent_at is not None)
        return await self._users.place(row.user_id, table="follow_ups", column="words", row=row.id, tied_to=ties)
