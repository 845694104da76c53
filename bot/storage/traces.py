"""Rows of Traces: the ids of messages that can still be removed from a user's chat."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import and_, bindparam, delete, func, null, or_, select, update

from bot.domain.undecided import Undecided, Waits
from bot.storage.batches import delete_some
from bot.storage.conflicts import insert_into
from bot.storage.direct import DirectConnection
from bot.storage.schema import drafts, reflections, traces, users

DELETABLE: Final = timedelta(hours=48)
"""How long a bot can delete a message in a private chat after it was sent. Source: deleteMessage in the Bot API."""
ASKS_FOR: Final = timedelta(days=8)
"""How long we know of a message that asks about something undecided: a day longer than that waits."""
_OPEN: Final = {
    Waits.DRAFT: select(drafts.c.id).where(drafts.c.user_id == bindparam("of_user")),
    Waits.RITUAL: select(reflections.c.id).where(
        reflections.c.user_id == bindparam("of_user"),
        or_(reflections.c.due_at.is_(None), reflections.c.rewording.is_not(None)),
    ),
}
_OPEN[Waits.SHARE] = _OPEN[Waits.REWORDING] = _OPEN[Waits.RITUAL]
"""The ids of what is still undecided, going only by what its user has done: what the partner does must change nothing
in this chat. So the rest, which is gone when the partner leaves, counts until its message shows something else."""


@dataclass(frozen=True, slots=True)
class Due:
    """A message that is to go from the chat now."""

    message_id: int
    is_old: bool
    """Whether it is too old for a bot to delete, but not to change."""
    asks: Undecided | None
    """What it asks about, if that is still undecided."""
    by_hide: bool = False
    """Whether it goes by /hide, and so leaves no neutral line."""


@cache
def _noting(dialect: str, *, shown: bool) -> Any:
    """Return the statement that notes a user's message, or replaces the time to remove one already noted.

    With `shown` the latter no longer asks about anything.
    """
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
        set_={"hide_at": func.coalesce(new.excluded.hide_at, traces.c.hide_at), **({"waits": null()} if shown else {})},
    )


_ASKING: Final = (
    update(traces)
    .where(traces.c.user_id == bindparam("of_user"), traces.c.message_id == bindparam("of_message"))
    .values(
        waits=bindparam("what", type_=traces.c.waits.type), subject_id=bindparam("of", type_=traces.c.subject_id.type)
    )
)
_OF_USER: Final = traces.c.user_id == bindparam("of_user")
_IN_REACH: Final = or_(traces.c.sent_at > bindparam("reach"), traces.c.subject_id.is_not(None))
"""Messages that we can still remove, or that have asked: these we change at any age."""
_UNASK: Final = (
    update(traces)
    .where(_OF_USER, traces.c.waits == bindparam("what"), traces.c.subject_id == bindparam("of"))
    .values(waits=null())
)
_ASKED: Final = (
    select(traces.c.waits, traces.c.subject_id)
    .where(_OF_USER, traces.c.waits.is_not(None))
    .order_by(traces.c.message_id.desc())
)
_OF_THESE_KINDS: Final = update(traces).where(_OF_USER, traces.c.waits.in_(bindparam("kinds", expanding=True)))
_STOP_ASKING: Final = _OF_THESE_KINDS.values(waits=null())
_AT: Final = bindparam("at", type_=traces.c.hide_at.type)
_STOP_ASKING_AND_HIDE: Final = _STOP_ASKING.values(hide_at=_AT)
_HIDE_ALL: Final = update(traces).where(_OF_USER, traces.c.by_hide.is_(None)).values(hide_at=_AT, by_hide=True)
_DUE: Final = (
    select(traces.c.message_id, traces.c.sent_at, traces.c.waits, traces.c.subject_id, traces.c.by_hide)
    .where(_OF_USER, traces.c.hide_at <= bindparam("now"), _IN_REACH)
    .order_by(traces.c.message_id)
)
_THESE: Final = traces.c.message_id.in_(bindparam("message_ids", expanding=True))
_STAYS: Final = update(traces).where(_OF_USER, _THESE).values(hide_at=null())
_FORGET: Final = delete(traces).where(_OF_USER, _THESE)
_ASKS_STILL: Final = traces.c.waits.is_not(None) & traces.c.by_hide.is_(None)
_PENDING: Final = (
    select(traces.c.message_id)
    .join(users, users.c.id == traces.c.user_id)
    .where(
        _OF_USER,
        or_(traces.c.hide_at.is_not(None), and_(_ASKS_STILL, users.c.discreet == 1)),
        traces.c.sent_at > bindparam("reach"),
    )
)
_NEXT_DUE: Final = select(func.min(traces.c.hide_at)).where(_OF_USER, _IN_REACH)


class Traces:
    """The messages of a chat that can still be removed."""

    def __init__(self, connection: DirectConnection) -> None:
        self._connection = connection

    async def note(
        self, user_id: int, message_id: int, now: datetime, *, hide_at: datetime | None = None, shown: bool = False
    ) -> None:
        """Note a message, and when to remove it, if at all. Does nothing for somebody who isn't a user.

        With `shown` it shows something else from now on, and no longer asks about anything.
        """
        at = now.replace(minute=0, second=0, microsecond=0)
        facts = {"of_user": user_id, "of_message": message_id, "at": at, "hide": hide_at}
        await self._connection.execute_later(_noting(self._connection.dialect.name, shown=shown), facts)

    async def asks(self, user_id: int, message_id: int, about: Undecided) -> None:
        """Note what this noted message asks about: it alone, from now on."""
        this = {"of_user": user_id, "what": about.waits, "of": about.id}
        await self._connection.execute_later(_UNASK, this)
        await self._connection.execute_later(_ASKING, {**this, "of_message": message_id})

    async def undecided(self, user_id: int) -> list[Undecided]:
        """Return what messages of this chat ask about and is still undecided, the latest first."""
        found = await self._connection.execute(_ASKED, {"of_user": user_id})
        asked = [Undecided(Waits(row.waits), row.subject_id) for row in found]
        there = await self._there(user_id, asked)
        return [each for each in asked if each in there]

    async def stop_asking(self, user_id: int, kinds: Collection[Waits], *, hide_at: datetime | None) -> bool:
        """Note that what asks about things of these kinds no longer does, and when to remove it, if at all.

        Return whether there is any.
        """
        at = {"at": hide_at} if hide_at else {}
        done = await self._connection.execute(
            _STOP_ASKING_AND_HIDE if at else _STOP_ASKING, {"of_user": user_id, "kinds": list(kinds), **at}
        )
        return bool(done.rowcount)

    async def _there(self, user_id: int, asked: Iterable[Undecided]) -> set[Undecided]:
        """Return those of these that are still undecided, as far as what this user has done tells."""
        asked = set(asked)
        there = {each for each in asked if each.waits not in _OPEN}
        for waits in {each.waits for each in asked} & _OPEN.keys():
            ids = set(await self._connection.scalars(_OPEN[waits], {"of_user": user_id}))
            there |= {each for each in asked if each.waits is waits and each.id in ids}
        return there

    async def hide_all(self, user_id: int, now: datetime) -> None:
        """Mark all known messages of this chat to be removed now, without a neutral line in the place of any."""
        await self._connection.execute(_HIDE_ALL, {"of_user": user_id, "at": now})

    async def due(self, user_id: int, now: datetime) -> list[Due]:
        """Return the messages that are due and can still be removed or changed, oldest first."""
        found = await self._connection.execute(_DUE, {"of_user": user_id, "now": now, "reach": now - DELETABLE})
        rows = [(row, Undecided(Waits(row.waits), row.subject_id) if row.waits else None) for row in found]
        there = await self._there(user_id, (about for _, about in rows if about))
        return [
            Due(row.message_id, row.sent_at <= now - DELETABLE, about if about in there else None, bool(row.by_hide))
            for row, about in rows
        ]

    async def stays(self, user_id: int, message_ids: Collection[int]) -> None:
        """Note that nothing more is done with these messages: they are neutral lines now, or gone or emptied by /hide.

        What they ask about can still be had.
        """
        await self._connection.execute(_STAYS, {"of_user": user_id, "message_ids": list(message_ids)})

    async def pending(self, user_id: int, now: datetime) -> list[int]:
        """Return the messages that are to be removed, now or later, and can be. A neutral line is one of them."""
        found = await self._connection.execute(_PENDING, {"of_user": user_id, "reach": now - DELETABLE})
        return list(found.scalars())

    async def next_due(self, user_id: int, now: datetime) -> datetime | None:
        """Return when the next message should be removed or changed."""
        found = await self._connection.execute(_NEXT_DUE, {"of_user": user_id, "reach": now - DELETABLE})
        at: datetime | None = found.scalar_one()
        return at

    async def forget(self, user_id: int, message_ids: Collection[int]) -> None:
        await self._connection.execute(_FORGET, {"of_user": user_id, "message_ids": list(message_ids)})

    async def forget_before(self, moment: datetime, limit: int) -> int:
        """Forget up to `limit` messages that were sent before `moment`, unless something is to be done with them later.

        Returns how many there were.
        """
        is_done = or_(traces.c.hide_at.is_(None), traces.c.hide_at < moment)
        is_over = or_(traces.c.waits.is_(None), traces.c.sent_at < moment + DELETABLE - ASKS_FOR)
        return await delete_some(self._connection, traces, (traces.c.sent_at < moment) & is_done & is_over, limit)
