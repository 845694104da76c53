"""Groups and channels: the bot says once that it is for private chats, and leaves. It stores nothing about them."""

import asyncio
from functools import partial

import structlog

from bot.delivery.courier import NotDelivered
from bot.i18n import negotiate, say_in
from bot.tg.dispatch import HERE
from bot.tg.screens import Screen
from bot.tg.screens.always import private_only
from bot.tg.sender import Sender
from bot.tg.updates import Update

log = structlog.stdlib.get_logger(__name__)


def is_elsewhere(update: Update) -> bool:
    """Return whether the update comes from a group or channel, where others would read an answer."""
    chat = update.effective_chat
    return chat is not None and not chat.is_private


class Groups:
    """Leaves every group and channel, in the background."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._leaving: dict[int, asyncio.Task[None]] = {}
        self._taps: set[asyncio.Task[None]] = set()

    def handle(self, update: Update) -> None:
        """Leave the group or channel that this update is from, if we are still in it."""
        chat = update.effective_chat
        if update.callback_query:
            task = asyncio.create_task(self._sender.stop_spinner(update.callback_query.id), name="tap in a group")
            self._taps.add(task)
            task.add_done_callback(self._taps.discard)
        elif chat is None or chat.id in self._leaving or not _is_here(update):
            return
        else:
            self._leaving[chat.id] = task = asyncio.create_task(self._leave(chat.id, update), name="leaving")
            task.add_done_callback(lambda _: self._leaving.pop(chat.id))

    async def abandon(self) -> None:
        """Stop leaving. The next update from a group triggers it again."""
        under_way = {*self._leaving.values(), *self._taps}
        for task in under_way:
            task.cancel()
        if under_way:
            await asyncio.wait(under_way)

    async def _leave(self, chat_id: int, update: Update) -> None:
        person = update.effective_user
        goodbye = Screen(private_only(say_in(negotiate(person.language_code if person else None))))
        for step in (partial(self._sender.send, chat_id, goodbye), partial(self._sender.leave, chat_id)):
            try:
                await self._sender.persist(chat_id, step)
            except NotDelivered as final:  # we may not write there, or have already left
                log.info("group.refuses", error=type(final).__name__)


def _is_here(update: Update) -> bool:
    if change := update.my_chat_member:
        return change in HERE
    return update.effective_message is not None
