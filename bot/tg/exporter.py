"""Makes an export and sends it, when the outbox claims its Notice. The files exist only in memory.

It makes one export at a time, and holds up neither the event loop nor the user's other messages. If we are killed
meanwhile, the next process starts over, and a file that had already been sent comes twice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from bot.clock import Clock
from bot.delivery.courier import Delivered, NotDelivered
from bot.delivery.pacer import Pacer
from bot.domain.model import User
from bot.domain.notices import Notice
from bot.domain.results import Sorry
from bot.i18n import say_in
from bot.library import Library
from bot.logs import incident
from bot.services.exporting import PART_BYTES, ExportFile, Exporting
from bot.services.traces import FILES_FOR, hide
from bot.storage.store import Store, is_passing
from bot.tg.pages.export import page, worded
from bot.tg.screens import Screen, View
from bot.tg.screens.always import sorry
from bot.tg.screens.privacy import export_file, export_progress
from bot.tg.screens.screen import for_its_user
from bot.tg.sender import Attachment, Sender

_BUSY: Final = timedelta(seconds=2)
"""How long to put off an export while another one is being made."""
_LONG: Final = 2000
"""How many entries it takes to show the progress in a message."""
_TELL_EVERY: Final = timedelta(seconds=2)
_TRIES: Final = 6
"""How often we try to send a file before we put off the export: about half a minute, with the waits in between."""

Send = Callable[[int, Screen], Awaitable[int]]

log = structlog.stdlib.get_logger(__name__)


class Exporter:
    """Delivers Notices of the kind EXPORT."""

    def __init__(
        self, store: Store, clock: Clock, sender: Sender, pacer: Pacer, library: Library, part_bytes: int = PART_BYTES
    ) -> None:
        self._store = store
        self._clock = clock
        self._sender = sender
        self._pacer = pacer
        self._library = library
        self._part_bytes = part_bytes
        self._exporting = Exporting()
        self._alone = asyncio.Lock()

    async def deliver(self, notice: Notice) -> Delivered:
        """Make an export and send it. Raises a NotDelivered."""
        if self._alone.locked():
            async with self._store.writing() as rows:
                await rows.notices.put_off(notice, self._clock.now() + _BUSY)
            return Delivered.PUT_OFF
        async with self._alone:
            async with self._store.writing(notice.user_id) as rows:
                user = await rows.users.find(notice.user_id)
                if user is None or not await rows.notices.sending(notice):
                    return Delivered.NEEDLESS
            try:
                return await self._make_and_send(notice, user)
            except NotDelivered:
                raise
            except Exception as error:
                if is_passing(error):
                    raise
                code = incident(log, error, notice=notice.id)
                await self._send_traced(user.id, sorry(self._view(user), Sorry(code)))
                return Delivered.NEEDLESS  # they may ask again at once

    async def _make_and_send(self, notice: Notice, user: User) -> Delivered:
        progress = _Progress(self._send_traced, self._sender, self._view(user), user.id, self._clock)
        try:
            return await self._send_all(notice, user, progress)
        finally:
            progress.stop()

    async def _send_all(self, notice: Notice, user: User, progress: "_Progress") -> Delivered:
        view = self._view(user)
        await self._sender.uploading(user.id)
        files = await self._exporting.files(
            self._store, user, self._clock.now(), lambda entries: worded(view, entries), progress, self._part_bytes
        )
        while files:
            file = files.pop(0)
            for attachment in await asyncio.to_thread(_attachments, view, file):
                if not await self._still_wanted(notice):
                    return Delivered.NEEDLESS
                await self._send(user, attachment, export_file(view, file.header, attachment.name))
        await progress.end()
        return Delivered.SAID

    async def _send(self, user: User, attachment: Attachment, caption: Screen) -> None:
        """Send a file, and note its message, so that /hide removes it as well; discreet mode does so after an hour.

        Raises LookupError if we can't tell whether the file has arrived; its user may then ask for another export.
        """
        chat_id, caption = user.id, for_its_user(caption, user, say_in(user.language))
        await self._sender.uploading(chat_id)
        await self._pacer.wait_turn()
        sent = await self._sender.persist(
            chat_id, lambda: self._sender.attach(chat_id, attachment, caption), most=_TRIES
        )
        if sent is None:
            raise LookupError("no intelligible answer to the upload of a file")
        await self._trace(chat_id, sent, FILES_FOR if user.discreet else None)

    async def _send_traced(self, chat_id: int, screen: Screen) -> int:
        """Send a message without a file, and note it as well."""
        sent = await self._sender.send(chat_id, screen)
        await self._trace(chat_id, sent)
        return sent

    async def _trace(self, chat_id: int, message_id: int, stays: timedelta | None = None) -> None:
        now = self._clock.now()
        async with self._store.writing(chat_id) as rows:
            await hide(rows, chat_id, message_id, now, at=now + stays if stays else None)

    async def _still_wanted(self, notice: Notice) -> bool:
        """Return whether the export is still wanted, as its user may have erased everything meanwhile."""
        async with self._store.writing() as rows:
            return await rows.notices.renew(notice, self._clock.now())

    def _view(self, user: User) -> View:
        return View(say_in(user.language), self._clock.now(), self._library, user)


def _attachments(view: View, file: ExportFile) -> Sequence[Attachment]:
    """Return a file of an export in two forms: HTML for people, and JSON for programs."""
    header = file.header
    name = f"ajar-{header.made_at:%Y-%m-%d}" + ("" if header.last and header.part == 1 else f"-{header.part}")
    return (
        Attachment("document", f"{name}.html", page(view, header, file.entries).encode()),
        Attachment("document", f"{name}.json", file.json()),
    )


class _Progress:
    """Shows the progress of a long export, in one message that it keeps editing."""

    def __init__(self, send: Send, sender: Sender, view: View, chat_id: int, clock: Clock) -> None:
        """`send` sends the first message and notes it."""
        self._send = send
        self._sender = sender
        self._view = view
        self._chat_id = chat_id
        self._clock = clock
        self._message_id: int | None = None
        self._told_at: datetime | None = None
        self._total = 0
        self._telling: asyncio.Task[None] | None = None

    def __call__(self, done: int, total: int) -> None:
        now = self._clock.now()
        if total < _LONG or (self._told_at and now - self._told_at < _TELL_EVERY):
            return
        if self._telling is None or self._telling.done():
            self._told_at, self._total = now, total
            self._telling = asyncio.create_task(self._tell(done))

    async def end(self) -> None:
        if self._telling:
            await self._telling
        if self._message_id:
            await self._tell(self._total)

    def stop(self) -> None:
        """Stop updating the message, whether or not the export is complete."""
        if self._telling:
            self._telling.cancel()

    async def _tell(self, done: int) -> None:
        """Edit the message, or send it. If that fails, the export goes on all the same."""
        screen = export_progress(self._view, done, self._total)
        try:
            if self._message_id is None:
                self._message_id = await self._send(self._chat_id, screen)
            else:
                await self._sender.edit(self._chat_id, self._message_id, screen)
        except NotDelivered as error:
            log.info("export.progress", error=type(error).__name__)
