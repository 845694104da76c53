"""The Backlog, for operators: counts and times of what is waiting in the database, none of them about a person.

Each query reads only the beginning of an index, so it costs the same with ten users as with a million.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.metrics import ENOUGH_PEOPLE, MOST_COUNTED
from bot.storage.notices import CLAIMABLE
from bot.storage.schema import inbox, notes, notices, processes, users

TIDIED: Final = "tidied"
"""The name of the note that holds when the hourly tidying last finished."""
REHEARSED: Final = "rehearsed well"
"""The name of the note that holds when a rehearsed restore last succeeded."""

_DUE: Final = (
    select(notices.c.state, notices.c.due_at)
    .where(*CLAIMABLE)
    .order_by(notices.c.due_at)
    .limit(MOST_COUNTED)
    .subquery()
)
_NUMBER: Final = func.count().label("number")
_DUE_BY_STATE: Final = select(_DUE.c.state, _NUMBER, func.min(_DUE.c.due_at).label("oldest")).group_by(_DUE.c.state)
_UNHANDLED: Final = (
    select(inbox.c.received_at)
    .where(inbox.c.lane.is_not(None), inbox.c.handled_at.is_(None))
    .limit(MOST_COUNTED)
    .subquery()
)
_ARRIVED: Final = select(_NUMBER, func.min(_UNHANDLED.c.received_at).label("oldest"))
_HOUR_HAS_COME: Final = select(users.c.id).where(users.c.next_ask_at <= bindparam("now")).limit(MOST_COUNTED).subquery()
_TO_PLAN: Final = select(func.count()).select_from(_HOUR_HAS_COME)
_FEW: Final = select(users.c.id).limit(ENOUGH_PEOPLE).subquery()
_PEOPLE: Final = select(func.count()).select_from(_FEW)
_PROCESSES: Final = select(processes.c.role, processes.c.version)
_NOTED: Final = select(notes.c.name, notes.c.value).where(notes.c.name.in_((TIDIED, REHEARSED)))


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is waiting at some moment. Counts stop at MOST_COUNTED."""

    unhandled: int
    """Updates that are written down and not handled yet."""
    unhandled_since: datetime | None
    """When the oldest of them arrived."""
    due: Mapping[str, int]
    """Notices that are due, by state."""
    due_since: datetime | None
    """When the oldest of them became due."""
    to_plan: int
    """Users whose hour has come."""
    enough_people: bool
    """Whether there are so many users that a count reveals nothing about any one of them."""
    processes: Sequence[tuple[str, str]]
    """Role and version of each running process; none with SQLite."""
    tidied_at: datetime | None
    rehearsed_at: datetime | None


async def look(connection: AsyncConnection, now: datetime) -> Backlog:
    """Read the Backlog."""
    arrived = (await connection.execute(_ARRIVED)).one()
    due = (await connection.execute(_DUE_BY_STATE, {"now": now})).all()
    noted = {row.name: datetime.fromisoformat(row.value) for row in await connection.execute(_NOTED)}
    return Backlog(
        unhandled=arrived.number,
        unhandled_since=arrived.oldest,
        due={row.state: row.number for row in due},
        due_since=min((row.oldest for row in due), default=None),
        to_plan=await _number(connection, _TO_PLAN, {"now": now}),
        enough_people=await _number(connection, _PEOPLE, {}) >= ENOUGH_PEOPLE,
        processes=[(row.role, row.version) for row in await connection.execute(_PROCESSES)],
        tidied_at=noted.get(TIDIED),
        rehearsed_at=noted.get(REHEARSED),
    )


async def _number(connection: AsyncConnection, query: Select[Any], values: dict[str, Any]) -> int:
    return int((await connection.execute(query, values)).scalar_one())
