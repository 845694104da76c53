"""Which of Telegram's updates have had their effect, and their answers until we know that they were given."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.results import Result, Silence, unpack
from bot.storage.conflicts import insert_into
from bot.storage.schema import failures, updates
from bot.storage.sqlite import execute_later

# Statements that every turn needs are built once: building one takes longer than executing it.
_FIND: Final = select(updates.c.result, updates.c.answered).where(updates.c.id == bindparam("update_id"))
_MARK: Final = insert(updates)
_COUNT_ATTEMPT: Final = (
    update(updates)
    .where(updates.c.id == bindparam("update_id"))
    .values(answered=updates.c.answered - 1)
    .returning(updates.c.answered)
)
_ANSWERED: Final = update(updates).where(updates.c.id.in_(bindparam("update_ids", expanding=True)))
_FORGOTTEN: Final = {"user_id": None, "result": Silence().pack()}
"""Whose update it was, and its answer, are kept no longer than they are needed."""
_ANSWERED_FOR_GOOD: Final = _ANSWERED.values(answered=1, **_FORGOTTEN)
_LEFT_TO_OUTBOX: Final = _ANSWERED.values(answered=1)


@dataclass(frozen=True, slots=True)
class Seen:
    """An update that has had its effect."""

    result: Result
    answered: bool


class Updates:
    """Seen updates. Their ids are only compared for equality: after a quiet week they start anywhere."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self, update_id: int) -> Seen | None:
        row = (await self._connection.execute(_FIND, {"update_id": update_id})).one_or_none()
        return Seen(unpack(row.result), row.answered > 0) if row else None

    async def mark(self, update_id: int, result: Result, now: datetime, *, user_id: int | None) -> None:
        """Mark the update as done by this transaction. `result` is the answer to the user, if there is a user."""
        facts = {"id": update_id, "seen_at": now, "user_id": user_id, "result": result.pack(), "answered": 0}
        await execute_later(self._connection, _MARK, facts)

    async def count_attempt(self, update_id: int) -> int:
        """Count another answer, because we don't know whether an earlier one arrived. Return how many there were."""
        return -int((await self._connection.execute(_COUNT_ATTEMPT, {"update_id": update_id})).scalar_one())

    async def mark_answered(self, update_ids: Sequence[int]) -> None:
        """Forget the answers of these updates, because they are known to have been given."""
        if update_ids:
            await execute_later(self._connection, _ANSWERED_FOR_GOOD, {"update_ids": update_ids})

    async def leave_to_outbox(self, update_id: int) -> None:
        """Leave the answer to the outbox, which calls `mark_answered` when it has given it."""
        await execute_later(self._connection, _LEFT_TO_OUTBOX, {"update_ids": [update_id]})

    async def forget_results_of(self, user_id: int) -> None:
        """Forget all answers to this user. The updates stay marked, so they don't have their effect a second time."""
        await self._connection.execute(
            update(updates).where(updates.c.user_id == user_id).values(answered=1, **_FORGOTTEN)
        )

    async def failed(self, update_id: int, now: datetime) -> int:
        """Count one more failure of this update. Return how many there are now."""
        dialect = self._connection.dialect.name
        statement = insert_into(dialect, failures).values(update_id=update_id, tries=1, failed_at=now)
        tried = await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["update_id"], set_={"tries": failures.c.tries + 1, "failed_at": now}
            ).returning(failures.c.tries)
        )
        return int(tried.scalar_one())

    async def forget_before(self, moment: datetime) -> None:
        """Remove updates that Telegram will no longer repeat."""
        await self._connection.execute(delete(updates).where(updates.c.seen_at < moment))
        await self._connection.execute(delete(failures).where(failures.c.failed_at < moment))
