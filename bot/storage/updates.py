"""Which updates of Telegram have had their effect, and what their answer is until it is known to be given."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.results import Result, Silence, unpack
from bot.storage.conflicts import insert_into
from bot.storage.schema import failures, updates

# Statements of every turn are made once: making one takes longer than executing it.
_FIND: Final = select(updates.c.result, updates.c.answered).where(updates.c.id == bindparam("update_id"))
_MARK: Final = insert(updates)
_AGAIN: Final = (
    update(updates)
    .where(updates.c.id == bindparam("update_id"))
    .values(answered=updates.c.answered - 1)
    .returning(updates.c.answered)
)
_ANSWERED: Final = update(updates).where(updates.c.id.in_(bindparam("update_ids", expanding=True)))
_FORGOTTEN: Final = {"user_id": None, "result": Silence().pack()}
"""Nothing of whose update it was is kept any longer than it is needed."""
_ANSWERED_FOR_GOOD: Final = _ANSWERED.values(answered=1, **_FORGOTTEN)
_LEFT_TO_OUTBOX: Final = _ANSWERED.values(answered=1)


@dataclass(frozen=True, slots=True)
class Seen:
    """An update that has had its effect."""

    result: Result
    answered: bool


class Updates:
    """Update ids are compared for sameness only: after a quiet week they start anywhere."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self, update_id: int) -> Seen | None:
        row = (await self._connection.execute(_FIND, {"update_id": update_id})).one_or_none()
        return Seen(unpack(row.result), row.answered > 0) if row else None

    async def mark(self, update_id: int, result: Result, now: datetime, *, user_id: int | None) -> None:
        """This update has its effect with this transaction; `result` is what to answer to the user, if it is one."""
        facts = {"id": update_id, "seen_at": now, "user_id": user_id, "result": result.pack(), "answered": 0}
        await self._connection.execute(_MARK, facts)

    async def again(self, update_id: int) -> int:
        """It is answered again, since it isn't known whether it was. How often that may have been by now."""
        return -int((await self._connection.execute(_AGAIN, {"update_id": update_id})).scalar_one())

    async def answered(self, update_ids: Sequence[int]) -> None:
        """The answers of these are known to be given: what they were is forgotten."""
        if update_ids:
            await self._connection.execute(_ANSWERED_FOR_GOOD, {"update_ids": update_ids})

    async def left_to_outbox(self, update_id: int) -> None:
        """The outbox gives the answer, and says with `answered` when it has."""
        await self._connection.execute(_LEFT_TO_OUTBOX, {"update_ids": [update_id]})

    async def forget_results_of(self, user_id: int) -> None:
        """Nothing of what was to be answered to this user is kept. What had its effect has it no second time."""
        await self._connection.execute(
            update(updates).where(updates.c.user_id == user_id).values(answered=1, **_FORGOTTEN)
        )

    async def failed(self, update_id: int, now: datetime) -> int:
        """Count one more failure of this update. How many there are now."""
        dialect = self._connection.dialect.name
        statement = insert_into(dialect, failures).values(update_id=update_id, tries=1, failed_at=now)
        tried = await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["update_id"], set_={"tries": failures.c.tries + 1, "failed_at": now}
            ).returning(failures.c.tries)
        )
        return int(tried.scalar_one())

    async def forget_before(self, moment: datetime) -> None:
        """Remove what Telegram will not repeat any more."""
        await self._connection.execute(delete(updates).where(updates.c.seen_at < moment))
        await self._connection.execute(delete(failures).where(failures.c.failed_at < moment))
