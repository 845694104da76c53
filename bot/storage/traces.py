"""Rows of Traces: the ids of messages that can still be removed from a user's chat."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.batches import delete_some
from bot.storage.conflicts import insert_into
from bot.storage.direct import execute_later
from bot.storage.schema import drafts, traces, users

DELETABLE: Final = timedelta(hours=48)
"""How long a bot can delete a message in a private chat after it was sent. Source: deleteMessage in the Bot API."""


def _noting(dialect: str) -> Any:
    """Return the statement that notes a user's message, or replaces the time to remove one already noted."""
    new = insert_into(dialect, traces).from_select(
        ["user_id", "message_id", "sent_at", "hide_at"],
        select(
            users.c.id,
            bindparam("of_message", type_=traces.c.message_id.type),
            bindparam("at", type_=traces.c.sent_at.type),
            bindparam("hide", type_=traces.c.hide_at.type),
        ).where(users.c.id == bindparam("of_user")),
    )
    return new.on_conflict_do_update(
        index_elements=[traces.c.user_id, traces.c.message_id],
        set_={"hide_at": func.coalesce(new.excluded.hide_at, traces.c.hide_at)},
    )


_NOTING: Final = {dialect: _noting(dialect) for dialect in ("sqlite", "postgresql")}
_OF_USER: Final = traces.c.user_id == bindparam("of_user")


class Traces:
    """The messages of a chat that can still be removed."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def note(self, user_id: int, message_id: int, now: datetime, *, hide_at: datetime | None = None) -> None:
        """Note a message, and when to remove it, if at all. Does nothing for somebody who isn't a user."""
        at = now.replace(minute=0, second=0, microsecond=0)
        facts = {"of_user": user_id, "of_message": message_id, "at": at, "hide": hide_at}
        await execute_later(self._connection, _NOTING[self._connection.dialect.name], facts)

    async def hide_all(self, user_id: int, now: datetime) -> None:
        """Mark all known messages of this chat to be removed now."""
        await self._connection.execute(update(traces).where(_OF_USER).values(hide_at=now), {"of_user": user_id})

    async def due(self, user_id: int, now: datetime) -> list[int]:
        """Return the messages that are due and can still be removed or changed, oldest first."""
        found = await self._connection.scalars(
            select(traces.c.message_id)
            .where(_OF_USER, traces.c.hide_at <= now, _in_reach(now))
            .order_by(traces.c.message_id),
            {"of_user": user_id},
        )
        return list(found)

    async def pending(self, user_id: int, now: datetime) -> list[int]:
        """Return the messages that are to be removed, now or later, and can be."""
        found = await self._connection.scalars(
            select(traces.c.message_id).where(
                _OF_USER, traces.c.hide_at.is_not(None), traces.c.sent_at > now - DELETABLE
            ),
            {"of_user": user_id},
        )
        return list(found)

    async def next_due(self, user_id: int, now: datetime) -> datetime | None:
        """Return when the next message should be removed or changed."""
        found = await self._connection.execute(
            select(func.min(traces.c.hide_at)).where(_OF_USER, _in_reach(now)),
            {"of_user": user_id},
        )
        at: datetime | None = found.scalar_one()
        return at

    async def forget(self, user_id: int, message_ids: Collection[int]) -> None:
        await self._connection.execute(
            delete(traces).where(_OF_USER, traces.c.message_id.in_(message_ids)), {"of_user": user_id}
        )

    async def forget_before(self, moment: datetime, limit: int) -> int:
        """Forget up to `limit` messages that were sent before `moment`, unless something is to be done with them later.

        Returns how many there were.
        """
        is_done = or_(traces.c.hide_at.is_(None), traces.c.hide_at < moment)
        return await delete_some(self._connection, traces, (traces.c.sent_at < moment) & is_done, limit)


def _in_reach(now: datetime) -> ColumnElement[bool]:
    """Return the condition on messages that we can still remove, or ask about a Draft: these we change at any age."""
    asking = select(drafts.c.card_id).where(drafts.c.user_id == traces.c.user_id)
    return or_(traces.c.sent_at > now - DELETABLE, traces.c.message_id.in_(asking))
