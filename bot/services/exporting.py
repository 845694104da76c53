"""/export: all of one user's data as documents (bot.export_document), each small enough to send."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from bot.domain.model import User
from bot.domain.notices import NoticeKind
from bot.domain.results import Result
from bot.domain.results.privacy import ExportBegun, ExportTooSoon, ExportUnderWay
from bot.export_document import SECTIONS, Consent, Document, Part, Profile
from bot.services.visit import Visit
from bot.storage.store import Store

ONCE_IN: Final = timedelta(hours=1)
PART_BYTES: Final = 10 * 2**20
"""How large a JSON file gets, roughly, before we begin another one. A bot can send 50 MB, but a phone must open it."""

Worded = Callable[[Sequence[Part]], Sequence[Part]]
"""Adds the texts of questions and Shelf words to entries, in their owner's language."""
Progress = Callable[[int, int], None]
"""Called with how many entries have been read, and of how many. Must not block, since a transaction is open."""


class ExportFile:
    """A file of an export. It holds its entries as JSON, which takes far less memory than objects."""

    def __init__(self) -> None:
        self._header: Document | None = None
        self._sections: dict[str, list[bytes]] = {}
        self.size = 0

    @property
    def header(self) -> Document:
        """The document without its entries. Raises LookupError while the file isn't finished."""
        if self._header is None:
            raise LookupError("not finished")
        return self._header

    def add(self, section: str, entry: bytes) -> None:
        self._sections.setdefault(section, []).append(entry)
        self.size += len(entry)

    def finish(self, header: Document) -> None:
        self._header = header

    def json(self) -> bytes:
        """Return the whole document."""
        parts = [self.header.model_dump_json(exclude=set(SECTIONS)).encode()[:-1]]
        for section in SECTIONS:
            parts += [f',"{section}":['.encode(), b",".join(self._sections.get(section, [])), b"]"]
        return b"".join([*parts, b"}"])

    def entries(self, section: str) -> Iterator[Part]:
        """Yield the entries of a section, parsing each as it is needed."""
        return (SECTIONS[section].model_validate_json(entry) for entry in self._sections.get(section, []))


class Exporting:
    """The use cases of /export. bot.tg.exporter makes the files, beside the outbox."""

    async def request(self, visit: Visit) -> Result:
        """Schedule an export, at most one within ONCE_IN."""
        last = await visit.rows.notices.last(visit.user.id, NoticeKind.EXPORT)
        if last and last.settled_at is None:
            return ExportUnderWay()
        if last and last.settled_at and last.arrived and visit.now - last.settled_at < ONCE_IN:
            return ExportTooSoon(last.settled_at + ONCE_IN)
        await visit.rows.notices.add([(visit.user.id, NoticeKind.EXPORT, visit.user.id, visit.now)], visit.now)
        return ExportBegun()

    async def files(
        self, store: Store, user: User, now: datetime, worded: Worded, progress: Progress, part_bytes: int = PART_BYTES
    ) -> list[ExportFile]:
        """Read all of this user's data as of one moment."""
        files = _Files(user, now, part_bytes)
        async with store.reading() as rows:
            profile = await rows.exports.profile(user)
            total = await rows.exports.count(user.id)
            done = 0
            async for section, page in rows.exports.entries(user.id):
                await asyncio.to_thread(files.add, section, page, worded)
                done += len(page)
                progress(min(done, total), total)
        return files.finished(profile)


class _Files:
    """Collects entries, and begins another file when one is full. It is used in threads, one after the other."""

    def __init__(self, user: User, now: datetime, part_bytes: int) -> None:
        self._user = user
        self._now = now
        self._limit = part_bytes
        self._files = [ExportFile()]

    def add(self, section: str, page: Sequence[Part], worded: Worded) -> None:
        for entry in worded(page):
            content = entry.model_dump_json().encode()
            if self._files[-1].size and self._files[-1].size + len(content) > self._limit:
                self._files.append(ExportFile())
            self._files[-1].add(section, content)

    def finished(self, profile: Profile) -> list[ExportFile]:
        user = self._user
        for number, file in enumerate(self._files, 1):
            file.finish(Document(made_at=self._now, part=number, last=file is self._files[-1], account=user.id))
        consent = None
        if user.consented_at:
            consent = Consent(version=user.consent_version or 1, at=user.consented_at)
        first = self._files[0]
        first.finish(first.header.model_copy(update={"consent": consent, "profile": profile}))
        return self._files
