"""Rows of the Journal's pages: where each user is in it, and which Lines match the Filter that they have chosen.

The Filter and its matches are sealed, since both reveal what the user is looking for.
"""

import base64
import struct
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.journal import Filter, Page
from bot.storage.damage import open_or_none
from bot.storage.ids import timeless_id
from bot.storage.schema import journal_pages
from bot.storage.users import Users

_TABLE: Final = "journal_pages"
CURRENT_PAGE: Final = select(journal_pages.c.after_id, journal_pages.c.line_id, journal_pages.c.filter_id).where(
    journal_pages.c.user_id == bindparam("user_id")
)
_CHOSEN: Final = select(journal_pages.c.filter, journal_pages.c.found).where(
    journal_pages.c.user_id == bindparam("user_id")
)


class JournalPages:
    """The page of the Journal that each user saw last."""

    def __init__(self, connection: AsyncConnection, users: Users) -> None:
        self._connection = connection
        self._users = users

    async def find(self, user_id: int) -> Page:
        """Return the page that this user saw last, or the first page of all Lines."""
        row = (await self._connection.execute(CURRENT_PAGE, {"user_id": user_id})).one_or_none()
        return Page(row.after_id, row.line_id, row.filter_id) if row else Page()

    async def turn_to(self, user_id: int, after_id: int | None) -> None:
        """Note that the user sees the page below this Line, or the first page, and that no Line is open."""
        await self._set(user_id, after_id=after_id, line_id=None)

    async def open(self, user_id: int, line_id: int) -> None:
        """Note that this Line is open."""
        await self._set(user_id, line_id=line_id)

    async def show_all(self, user_id: int) -> None:
        """Go back to the first page of all Lines, and forget the Filter."""
        self._users.removed_words |= (await self.find(user_id)).filter_id is not None
        await self._set(user_id, after_id=None, line_id=None, filter_id=None, filter=None, found=None)

    async def limit(self, user_id: int, chosen: Filter) -> int:
        """Limit the Journal to a Filter, whose matches are still to be found. Return the id of this choice."""
        filter_id = timeless_id()
        self._users.removed_words = True
        sealed = await self._seal(user_id, "filter", chosen.pack())
        await self._set(user_id, after_id=None, line_id=None, filter_id=filter_id, filter=sealed, found=None)
        return filter_id

    async def keep_found(self, user_id: int, filter_id: int, line_ids: Sequence[int]) -> bool:
        """Store the matching Lines, newest first. False if another Filter was chosen meanwhile."""
        sealed = await self._seal(user_id, "found", _packed(line_ids))
        done = await self._connection.execute(
            update(journal_pages)
            .where(journal_pages.c.user_id == user_id, journal_pages.c.filter_id == filter_id)
            .values(found=sealed)
        )
        return bool(done.rowcount)

    async def filter(self, user_id: int) -> Filter | None:
        """Return the Filter; None if all Lines are shown."""
        opened = await self._opened(user_id, "filter")
        return Filter.unpack(opened) if opened else None

    async def found(self, user_id: int) -> Sequence[int]:
        """Return the ids of the Lines that match the Filter, newest first. Some may have been deleted since."""
        return _unpacked(await self._opened(user_id, "found") or "")

    async def _opened(self, user_id: int, column: str) -> str | None:
        row = (await self._connection.execute(_CHOSEN, {"user_id": user_id})).one_or_none()
        sealed = getattr(row, column) if row else None
        if sealed is None:
            return None
        key = await self._users.data_key(user_id)
        return open_or_none(key, sealed, table=_TABLE, column=column, row=user_id, user=user_id)

    async def _seal(self, user_id: int, column: str, text: str) -> bytes:
        return await self._users.seal(user_id, text, table=_TABLE, column=column, row=user_id, tied_to=())

    async def _set(self, user_id: int, **values: Any) -> None:
        done = await self._connection.execute(
            update(journal_pages).where(journal_pages.c.user_id == user_id).values(values)
        )
        if not done.rowcount:
            await self._connection.execute(insert(journal_pages).values(user_id=user_id, **values))


def _packed(ids: Sequence[int]) -> str:
    """Return these ids as one compact text: there may be thousands, and showing a page unpacks all of them."""
    return base64.b64encode(struct.pack(f">{len(ids)}q", *ids)).decode()


def _unpacked(packed: str) -> tuple[int, ...]:
    raw = base64.b64decode(packed)
    return struct.unpack(f">{len(raw) // 8}q", raw)
