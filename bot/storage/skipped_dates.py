"""Rows of Skipped dates: dates that passed without an Ask, and why."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.model import SkippedSpan, SkipReason
from bot.storage.schema import rests

_DAY: Final = timedelta(days=1)


# Statements that every answer needs are built once: building one takes longer than executing it.
_AROUND: Final = (
    rests.c.user_id == bindparam("whose"), rests.c.first_day <= bindparam("on"), rests.c.last_day >= bindparam("on"),
)  # fmt: skip
_SPAN: Final = select(rests).where(*_AROUND)
_DROP_SPAN: Final = delete(rests).where(*_AROUND)
_ADD: Final = insert(rests)


class SkippedDates:
    """Spans of Skipped dates. With the Asks they cover each local date once, from the first Ask to `User.last_day`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, new: Sequence[tuple[int, SkippedSpan]]) -> None:
        """Add spans: (user, span)."""
        if new:
            await self._connection.execute(
                _ADD,
                [
                    {"user_id": user_id, "first_day": span.first, "last_day": span.last, "kind": span.reason}
                    for user_id, span in new
                ],
            )

    async def of(self, user_id: int) -> list[SkippedSpan]:
        """Return a user's spans, oldest first."""
        found = await self._connection.execute(
            select(rests).where(rests.c.user_id == user_id).order_by(rests.c.first_day)
        )
        return [_span(row) for row in found]

    async def take_out(self, user_id: int, day: date) -> None:
        """Take this date out of its span, because it gets its Ask after all."""
        about = {"whose": user_id, "on": day}
        found = (await self._connection.execute(_SPAN, about)).one_or_none()
        if found is None:
            return
        span = _span(found)
        await self._connection.execute(_DROP_SPAN, about)
        parts = (replace(span, last=day - _DAY), replace(span, first=day + _DAY))
        await self.add([(user_id, part) for part in parts if part.first <= part.last])


def _span(row: Row[Any]) -> SkippedSpan:
    return SkippedSpan(SkipReason(row.kind), row.first_day, row.last_day)
