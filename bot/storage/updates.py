"""Which updates of Telegram have had their effect, and what their answer is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.results import Result, unpack
from bot.storage.schema import failures, updates


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
        found = await self._connection.execute(
            select(updates.c.result, updates.c.answered).where(updates.c.id == update_id)
        )
        row = found.one_or_none()
        return Seen(unpack(row.result), bool(row.answered)) if row else None

    async def mark(self, update_id: int, result: Result, now: datetime) -> None:
        """This update has its effect with this transaction; `result` is what to answer."""
        await self._connection.execute(
            insert(updates).values(id=update_id, seen_at=now, result=result.pack(), answered=0)
        )

    async def answered(self, update_ids: Sequence[int]) -> None:
        """The answers of these are known to be sent."""
        if update_ids:
            await self._connection.execute(update(updates).where(updates.c.id.in_(update_ids)).values(answered=1))

    async def failed(self, update_id: int, now: datetime) -> int:
        """Count one more failure of this update. How many there are now."""
        dialect = sqlite if self._connection.dialect.name == "sqlite" else postgresql
        statement = dialect.insert(failures).values(update_id=update_id, tries=1, failed_at=now)
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
