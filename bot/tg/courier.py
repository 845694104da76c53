"""Carries Notices: reads the facts again, makes the text, sends it."""

from bot.clock import Clock
from bot.domain.model import Notice, NoticeKind, User
from bot.domain.results import Asked
from bot.i18n import say_in
from bot.library import Library
from bot.services.prompts import Prompts
from bot.storage.store import Store
from bot.tg.post import Post
from bot.tg.screens import Screen, View, ask


class TelegramCourier:
    """The courier that the outbox knows, with Telegram behind it."""

    def __init__(self, store: Store, clock: Clock, library: Library, post: Post, prompts: Prompts) -> None:
        self._store = store
        self._clock = clock
        self._library = library
        self._post = post
        self._prompts = prompts

    async def deliver(self, notice: Notice) -> bool:
        """Send what the Notice is about, by the facts of now. False where there is nothing to say any more.

        Raises a NotDelivered.
        """
        match notice.kind:
            case NoticeKind.ASK:
                return await self._ask(notice)

    async def _ask(self, notice: Notice) -> bool:
        now = self._clock.now()
        async with self._store.writing(notice.user_id) as rows:
            user = await rows.users.find(notice.user_id)
            asked = await self._prompts.put(rows, user, notice, now) if user else None
            if user is None or asked is None or not await rows.notices.sending(notice):
                return False
        message_id = await self._post.send(notice.user_id, self._screen(user, asked))
        async with self._store.writing(notice.user_id) as rows:
            await rows.asks.showing(notice.user_id, message_id, asked.ask_id)
        return True

    def _screen(self, user: User, asked: Asked) -> Screen:
        return ask.asked(View(say_in(user.language), self._clock.now(), self._library, user), asked)
