"""Rows of the running processes that share a database, and of the facts that they need about each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, bindparam, cast, delete, func, literal, select, type_coerce, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.crypto import KeyRing
from bot.storage.conflicts import insert_into
from bot.storage.listening import announce
from bot.storage.schema import holds, processes

EVERY_CHAT: Final = 0
"""The chat id that stands for all chats in `holds`."""
HELD: Final = "held"
"""Announced when a hold was added or lifted."""

# Times are the database's, so that the clocks of several machines needn't agree.
_NOW: Final = type_coerce(cast(func.extract("epoch", func.clock_timestamp()) * 1000, BigInteger), BigInteger)
_ME: Final = processes.c.id == bindparam("process_id")
_BEAT: Final = (
    update(processes)
    .where(_ME)
    .values(
        beat=processes.c.beat + 1,
        beat_at=_NOW,
        key_version=bindparam("wraps_with"),
        passed_on=processes.c.passed_on + bindparam("more"),
    )
)
_ALL: Final = select(
    processes.c.id, processes.c.role, processes.c.place, processes.c.beat, processes.c.passed_on
).order_by(processes.c.place)
_CLOCK: Final = select(func.extract("epoch", func.clock_timestamp()))
_HOLDS: Final = select(holds.c.chat_id, type_coerce(holds.c.ends_at, BigInteger) - _NOW)


@dataclass(frozen=True, slots=True)
class Process:
    """A running process, as in its row."""

    id: int
    role: str
    place: int
    beat: int
    passed_on: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What a process sees when it beats."""

    processes: tuple[Process, ...]
    """The running processes, in the order in which they joined."""
    holds: Mapping[int, float]
    """How many more seconds Telegram asked us to wait, by chat or for EVERY_CHAT."""
    time: float
    """The database's time, in seconds since 1970."""


class Processes:
    """The running processes. The table is only used with PostgreSQL."""

    def __init__(self, connection: AsyncConnection, keys: KeyRing) -> None:
        self._connection = connection
        self._keys = keys

    async def join(self, process_id: int, role: str, version: str) -> bool:
        """Add a process behind the existing ones. False if another one has just taken its place; then try again.

        A process that has joined before, in a transaction that seemed to fail, keeps the place it has.
        """
        place = select(func.coalesce(func.max(processes.c.place), 0) + 1).scalar_subquery()
        joined = insert_into(self._connection.dialect.name, processes).values(
            id=process_id,
            role=role,
            version=version,
            place=place,
            beat=0,
            beat_at=_NOW,
            key_version=self._keys.current,
            passed_on=0,
        )
        try:
            async with self._connection.begin_nested():
                await self._connection.execute(joined.on_conflict_do_nothing(index_elements=["id"]))
        except IntegrityError:
            return False
        return True

    async def beat(self, process_id: int, *, passed_on: int = 0) -> Seen:
        """Show that a process is alive, and how many more answers it has passed on. Return what it sees."""
        mine = {"process_id": process_id, "more": passed_on, "wraps_with": self._keys.current}
        await self._connection.execute(_BEAT, mine)
        found = tuple(Process(*row) for row in await self._connection.execute(_ALL))
        left = {row[0]: row[1] / 1000 for row in await self._connection.execute(_HOLDS)}
        if over := [chat for chat, seconds in left.items() if seconds <= 0]:
            await self._connection.execute(delete(holds).where(holds.c.chat_id.in_(over), self._is_over()))
        moment = (await self._connection.execute(_CLOCK)).scalar_one()
        return Seen(found, {chat: seconds for chat, seconds in left.items() if seconds > 0}, float(moment))

    @staticmethod
    def _is_over() -> Any:
        return type_coerce(holds.c.ends_at, BigInteger) <= _NOW

    async def hold(self, waits: Mapping[int, float]) -> None:
        """Note how many seconds to wait with these chats; 0 lifts a hold."""
        for chat_id, seconds in sorted(waits.items()):  # in one order, so that two processes don't deadlock
            ends_at = _NOW + literal(round(seconds * 1000), BigInteger)
            added = insert_into(self._connection.dialect.name, holds).values(chat_id=chat_id, ends_at=ends_at)
            await self._connection.execute(
                added.on_conflict_do_update(index_elements=[holds.c.chat_id], set_={"ends_at": added.excluded.ends_at})
            )
        if waits:
            await announce(self._connection, HELD)

    async def remove(self, process_id: int, *, beat: int | None = None) -> bool:
        """Remove a process that leaves, or that hasn't beaten since `beat`. True if its row was removed."""
        gone = delete(processes).where(processes.c.id == process_id)
        done = await self._connection.execute(gone if beat is None else gone.where(processes.c.beat == beat))
        return bool(done.rowcount)
