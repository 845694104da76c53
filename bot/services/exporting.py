"""/export: everything of one user as documents (bot.export_document), each of a size to send."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from bot.domain.model import NoticeKind, User
from bot.domain.results import Result
from bot.domain.results.privacy import ExportBegun, ExportTooSoon, ExportUnderWay
from bot.export_document import Consent, Document, Part, Profile
from bot.services.visit import Visit
from bot.storage.store import Store

ONCE_IN: Final = timedelta(hours=1)
PART_BYTES: Final = 10 * 2**20
"""About how large a JSON file gets before the next one begins. A bot can send 50 MB; this opens on a phone too."""

Worded = Callable[[Sequence[Part]], Sequence[Part]]
"""Adds to entries what their questions and words read, in their owner's language."""
Progress = Callable[[int, int], Awaitable[None]]
"""Is told how many entries have been read, and of how many."""


class Exporting:
    """Use cases around taking one's data along. It is made beside the outbox: see bot.tg.exporter."""

    async def want(self, visit: Visit) -> Result:
        """Have an export made, at most once in ONCE_IN."""
        last = await visit.rows.notices.last(visit.user.id, NoticeKind.EXPORT)
        if last and last.settled_at is None:
            return ExportUnderWay()
        if last and last.settled_at and last.arrived and visit.now - last.settled_at < ONCE_IN:
            return ExportTooSoon(last.settled_at + ONCE_IN)
        await visit.rows.notices.add([(visit.user.id, NoticeKind.EXPORT, visit.user.id, visit.now)], visit.now)
        return ExportBegun()

    async def documents(
        self, store: Store, user: User, now: datetime, worded: Worded, progress: Progress, part_bytes: int = PART_BYTES
    ) -> list[Document]:
        """Read everything of this user as it is at one moment."""
        parts = _Parts(user, now, part_bytes)
        async with store.reading() as rows:
            profile = await rows.exports.profile(user)
            total = await rows.exports.count(user.id)
            done = 0
            async for section, page in rows.exports.entries(user.id):
                await asyncio.to_thread(parts.add, section, page, worded)
                done += len(page)
                await progress(min(done, total), total)
        return await asyncio.to_thread(parts.finished, profile)


class _Parts:
    """Collects entries, and begins another document when one is full. It is used in threads, one after the other."""

    def __init__(self, user: User, now: datetime, part_bytes: int) -> None:
        self._user = user
        self._now = now
        self._limit = part_bytes
        self._sections: list[dict[str, list[Part]]] = [{}]
        self._size = 0

    def add(self, section: str, page: Sequence[Part], worded: Worded) -> None:
        for entry in worded(page):
            size = len(entry.model_dump_json().encode())
            if self._size and self._size + size > self._limit:
                self._sections.append({})
                self._size = 0
            self._sections[-1].setdefault(section, []).append(entry)
            self._size += size

    def finished(self, profile: Profile) -> list[Document]:
        user = self._user
        consent = None
        if user.consented_at:
            consent = Consent(version=user.consent_version or 1, at=user.consented_at)
        return [
            Document.model_validate(
                {
                    "made_at": self._now,
                    "part": number,
                    "last": number == len(self._sections),
                    "account": user.id,
                    "consent": consent if number == 1 else None,
                    "profile": profile if number == 1 else None,
                    **sections,
                }
            )
            for number, sections in enumerate(self._sections, 1)
        ]
