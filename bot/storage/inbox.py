"""The inbox: updates as they came from Telegram, sealed, from their arrival until their answer is sent.

Telegram forgets an update once we confirm it, so we write it down first. Its content is sealed with a key derived from
the master key and its id, since its user may not exist yet, and a damaged data key must not make it unreadable. Once
its answer is sent, the row only says that this update was handled, in case Telegram repeats it.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import and_, bindparam, delete, or_, select, text, update

from bot.crypto import KeyRing, open_sealed, seal
from bot.storage.batches import delete_some
from bot.storage.conflicts import insert_into
from bot.storage.direct import DirectConnection
from bot.storage.listening import announce
from bot.storage.schema import inbox

LEASE: Final = timedelta(seconds=60)
"""How long a claim lasts without being renewed, unless somebody notices sooner that its process is gone."""
WAITING: Final = "waiting"
"""Announced when a process wrote down an update that it can't handle, because another process has its lane."""

_PURPOSE: Final = "held update"
_TABLE: Final = "held_updates"
_COLUMN: Final = "raw"
"""Part of every seal. These names are older than the inbox; they stay, so that updates sealed then still open."""

_UNHANDLED: Final = and_(inbox.c.lane.is_not(None), inbox.c.handled_at.is_(None))
_MINE: Final = and_(inbox.c.id == bindparam("update_id"), inbox.c.owner == bindparam("of_owner"), _UNHANDLED)

# Statements that every turn needs are built once: building one takes longer than executing it.
_KNOWN: Final = select(inbox.c.id).where(inbox.c.id.in_(bindparam("update_ids", expanding=True)))
_BUSY_ELSEWHERE: Final = select(inbox.c.lane).where(
    inbox.c.lane.in_(bindparam("lanes", expanding=True)),
    _UNHANDLED,
    or_(inbox.c.owner.is_(None), inbox.c.owner != bindparam("of_owner")),
)
_HANDLE: Final = (
    update(inbox).where(_MINE).values(handled_at=bindparam("at"), owner=None, lease_ends=None).returning(inbox.c.id)
)
_ANSWERED: Final = (
    update(inbox).where(inbox.c.id.in_(bindparam("update_ids", expanding=True))).values(lane=None, raw=None)
)
_FIND: Final = select(inbox.c.lane, inbox.c.received_at, inbox.c.version, inbox.c.raw).where(
    inbox.c.id == bindparam("update_id")
)
_FAILED: Final = update(inbox).where(_MINE).values(tries=inbox.c.tries + 1).returning(inbox.c.tries)
_RENEW: Final = (
    update(inbox).where(inbox.c.owner == bindparam("of_owner"), _UNHANDLED).values(lease_ends=bindparam("until"))
)
_LOCK_LANES: Final = text(
    "SELECT lane FROM unnest(CAST(:lanes AS bigint[])) AS lane"
    " WHERE pg_try_advisory_xact_lock(1634361715, (lane % 2147483647)::int)"
)
"""Locks lanes before their updates are claimed, so that no two processes do so at once. Only we use this number."""
_RELEASE: Final = (
    update(inbox)
    .where(inbox.c.owner == bindparam("of_owner"), _UNHANDLED)
    .values(owner=None, lease_ends=None)
    .returning(inbox.c.id)
)


@cache
def _add(dialect: str) -> Any:
    """Insert, skipping an update that another process is writing down at the same time."""
    return insert_into(dialect, inbox).on_conflict_do_nothing()


class NotClaimed(Exception):
    """Another process has claimed this update, or it is already handled."""


@dataclass(frozen=True, slots=True)
class Received:
    """An update as it came from Telegram, with its id and its lane."""

    id: int
    lane: int
    """The id of its user: updates of one lane are handled one after the other."""
    raw: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """An update that was written down."""

    received_at: datetime
    raw: dict[str, Any] | None
    """Its content; None once it is answered."""


class Inbox:
    """Updates, each claimed by the process that handles it until its lease ends.

    We compare update ids only for equality and for the order within a lane, as after a quiet week they start anywhere.
    """

    def __init__(self, connection: DirectConnection, keys: KeyRing) -> None:
        self._connection = connection
        self._keys = keys
        self._handling: int | None = None
        """The update that this transaction handles."""

    async def add(self, received: Sequence[Received], owner: int | None, now: datetime) -> list[int]:
        """Write updates down. Return the ids of those that `owner` may handle now; without an owner there are none.

        A known update isn't written again. An update in a lane that another process is busy with is left for `adopt`.
        """
        if owner:
            lanes = sorted({one.lane for one in received})
            self._connection.prefetch({"lanes": lanes, "of_owner": owner}, _BUSY_ELSEWHERE)
        known = set(await self._connection.scalars(_KNOWN, {"update_ids": [one.id for one in received]}))
        new = {one.id: one for one in received if one.id not in known}
        if not new:
            return []
        free = await self._free({one.lane for one in new.values()}, owner) if owner else set()
        await self._connection.execute(
            _add(self._connection.dialect.name),
            [self._row(one, owner if one.lane in free else None, now) for one in new.values()],
        )
        ours = sorted(one.id for one in new.values() if one.lane in free)
        if len(ours) < len(new):
            await announce(self._connection, WAITING)
        return ours

    async def _free(self, lanes: Collection[int], owner: int) -> set[int]:
        """Return those of these lanes that no other process is busy with, or can be before this transaction ends."""
        locked = await self._lock(lanes)
        if not locked:
            return set()
        busy = await self._connection.scalars(_BUSY_ELSEWHERE, {"lanes": sorted(locked), "of_owner": owner})
        return locked - set(busy)

    async def _lock(self, lanes: Collection[int]) -> set[int]:
        """Lock lanes until the transaction ends, without waiting. Return those that nobody else has locked."""
        if self._connection.dialect.name != "postgresql":  # SQLite has one writer
            return set(lanes)
        return set(await self._connection.scalars(_LOCK_LANES, {"lanes": list(lanes)}))

    def _row(self, received: Received, owner: int | None, now: datetime) -> dict[str, Any]:
        version = self._keys.current
        return {
            "id": received.id,
            "lane": received.lane,
            "received_at": now,
            "owner": owner,
            "lease_ends": now + LEASE if owner else None,
            "tries": 0,
            "version": version,
            "raw": seal(
                self._key(received.id, version), json.dumps(received.raw), table=_TABLE, column=_COLUMN,
                row=received.id, user=received.lane,
            ),
        }  # fmt: skip

    async def find(self, update_id: int) -> Kept | None:
        """Return an update that was written down; None if there is none with this id. Raises CannotOpen."""
        row = (await self._connection.execute(_FIND, {"update_id": update_id})).one_or_none()
        if row is None:
            return None
        if row.raw is None:
            return Kept(row.received_at, None)
        words = open_sealed(
            self._key(update_id, row.version), row.raw, table=_TABLE, column=_COLUMN, row=update_id, user=row.lane
        )
        return Kept(row.received_at, json.loads(words))

    def _key(self, update_id: int, version: int) -> bytes:
        return self._keys.digest(_PURPOSE, str(update_id), version=version)

    async def handle(self, update_id: int, owner: int, now: datetime) -> None:
        """Note that this transaction handles the update. Raises NotClaimed unless `owner` has claimed it."""
        done = await self._connection.execute(_HANDLE, {"update_id": update_id, "of_owner": owner, "at": now})
        if done.first() is None:
            raise NotClaimed
        self._handling = update_id

    async def answered(self, update_ids: Collection[int]) -> None:
        """Forget the content and the users of these updates: their answers are sent, or there is nothing to say."""
        if update_ids:
            await self._connection.execute_later(_ANSWERED, {"update_ids": list(update_ids)})

    async def failed(self, update_id: int, owner: int) -> int:
        """Count one more failure of this update. Return how many there are now. Raises NotClaimed."""
        found = await self._connection.execute(_FAILED, {"update_id": update_id, "of_owner": owner})
        if (tries := found.scalar_one_or_none()) is None:
            raise NotClaimed
        return int(tries)

    async def forget_words_of(self, user_id: int) -> None:
        """Forget the content of this user's handled updates, whether or not their answers are sent.

        The answer to the one that this transaction handles may still need it.
        """
        others = inbox.c.id != self._handling
        await self._connection.execute(
            update(inbox)
            .where(inbox.c.lane == user_id, inbox.c.handled_at.is_not(None), others)
            .values(lane=None, raw=None)
        )

    async def remove_all_of(self, user_id: int) -> None:
        """Remove this user's updates, handled or not."""
        await self._connection.execute(delete(inbox).where(inbox.c.lane == user_id))

    async def claimed_by(self, owner: int) -> list[tuple[int, int]]:
        """Return the ids and lanes of the unhandled updates that this process has claimed, in order."""
        found = await self._connection.execute(
            select(inbox.c.id, inbox.c.lane).where(inbox.c.owner == owner, _UNHANDLED).order_by(inbox.c.id)
        )
        return [(row.id, row.lane) for row in found]

    async def renew(self, owner: int, now: datetime) -> None:
        """Keep the owner's claims for another LEASE."""
        await self._connection.execute(_RENEW, {"of_owner": owner, "until": now + LEASE})

    async def release_of(self, owner: int) -> None:
        """Release the claims of a process that is gone."""
        if (await self._connection.execute(_RELEASE, {"of_owner": owner})).first():
            await announce(self._connection, WAITING)

    async def adopt(self, owner: int, now: datetime, *, alone: bool, lanes: int | None = None) -> list[tuple[int, int]]:
        """Claim the unhandled updates that no process is handling. Return their ids and lanes, in order.

        `alone` means that no other process uses the database, so all earlier claims are void. Otherwise we take only
        lanes without a live claim of another process, and at most `lanes` of them.
        """
        claimed = update(inbox).where(_UNHANDLED).values(owner=owner, lease_ends=now + LEASE)
        if not alone:
            free = _left_behind(owner, now)
            wanted = await self._connection.scalars(
                select(inbox.c.lane).where(_UNHANDLED, free).group_by(inbox.c.lane).limit(lanes)
            )
            locked = await self._lock(found) if (found := set(wanted)) else found
            if not locked:
                return []
            claimed = claimed.where(inbox.c.lane.in_(locked), free)
        taken = await self._connection.execute(claimed.returning(inbox.c.id, inbox.c.lane))
        return sorted((row.id, row.lane) for row in taken)

    async def is_crowded(self, most: int) -> bool:
        """Return whether more than `most` updates are unhandled."""
        unhandled = select(inbox.c.id).where(_UNHANDLED).offset(most).limit(1)
        return (await self._connection.execute(unhandled)).first() is not None

    async def forget_before(self, moment: datetime, limit: int) -> int:
        """Remove up to `limit` updates that were handled before `moment`. Return how many there were."""
        return await delete_some(self._connection, inbox, inbox.c.handled_at < moment, limit)


def _left_behind(owner: int, now: datetime) -> Any:
    """Return the condition that no process has claimed an update, and no other process is busy with its lane."""
    other = inbox.alias("other")
    living = and_(other.c.owner.is_not(None), other.c.owner != owner, other.c.lease_ends > now)
    busy = select(other.c.id).where(other.c.lane == inbox.c.lane, other.c.handled_at.is_(None), living)
    return and_(or_(inbox.c.owner.is_(None), and_(inbox.c.owner != owner, inbox.c.lease_ends <= now)), ~busy.exists())
