"""Delivers Notices: reads the facts again, makes the text, and sends it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple

import structlog

from bot.clock import Clock
from bot.delivery.courier import Afterwards, Blocked, Delivered, Refused, Unreachable
from bot.delivery.gathering import Gathering
from bot.delivery.pacer import Pacer
from bot.domain.model import User
from bot.domain.notices import RECHECK, Notice, NoticeKind, free_at
from bot.domain.results import Result
from bot.i18n import BASE, say_in
from bot.services.arrivals import TakingIn
from bot.services.awaiting_consent import await_consent
from bot.services.menu import menu_of
from bot.services.visit import NoticeHandlers, Visit
from bot.storage.notices import Settled
from bot.storage.prompt_ids import Prompts
from bot.storage.store import Rows, Store
from bot.tg.answers import Answers
from bot.tg.cards import note
from bot.tg.exporter import Exporter
from bot.tg.rendering import Renderer
from bot.tg.screens.always import commands
from bot.tg.screens.screen import Screen, covered
from bot.tg.screens.undecided import emptied, undecided
from bot.tg.sender import Sender

log = structlog.stdlib.get_logger(__name__)


class _ToSay(NamedTuple):
    """What to tell somebody, by the facts at the moment `now`."""

    user: User
    result: Result
    now: datetime
    words: Mapping[str, str]
    prompts: Prompts | None
    """The user's prompts, if their data key was opened for them."""


class TelegramCourier:
    """The outbox's courier, which sends through Telegram."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        renderer: Renderer,
        sender: Sender,
        pacer: Pacer,
        answers: Answers,
        notice_handlers: NoticeHandlers,
        exporter: Exporter,
        taking_in: TakingIn,
    ) -> None:
        self._store = store
        self._clock = clock
        self._renderer = renderer
        self._sender = sender
        self._pacer = pacer
        self._answers = answers
        self._notice_handlers = notice_handlers
        self._gathering: Final = Gathering(store, self._decide)
        self._taking_in = taking_in
        self._own: Final = {
            NoticeKind.ANSWER: answers.deliver,
            NoticeKind.HIDE: self._hide,
            NoticeKind.EXPORT: exporter.deliver,
            NoticeKind.TAKE_IN: self._take_in,
            NoticeKind.MENU: self._show_menu,
        }
        self.served: Final = frozenset({*self._own, *notice_handlers})
        """The kinds of Notices that it can deliver."""

    async def deliver(self, notice: Notice) -> Delivered | Afterwards:
        """Deliver a Notice, by the current facts. Raises a NotDelivered."""
        return await self._own.get(notice.kind, self._say)(notice)

    async def _say(self, notice: Notice) -> Delivered | Afterwards:
        decide = self._gathering.together if notice.kind is NoticeKind.ASK else self._gathering.alone
        decided = await decide(notice)
        if isinstance(decided, Delivered):
            return decided
        user, result, now, words, prompts = decided
        screen = self._renderer.screen(result, user, user.language, now, words)
        if screen is None:
            return Delivered.NEEDLESS
        shown = covered(screen, say_in(user.language)) if user.discreet else screen
        await self._pacer.wait_room()
        message_id = await self._sender.send(user.id, shown)
        for stale_id in result.stale:
            await self._sender.try_strip(user.id, stale_id)
        return partial(self._note, user.id, message_id, screen, prompts)

    async def _decide(self, rows: Rows, notices: Sequence[Notice]) -> list[_ToSay | Delivered]:
        """Decide what to say about each of these Notices, and note that we begin to send those that still apply."""
        now = self._clock.now()
        for notice in notices:
            if notice.kind is NoticeKind.ASK:
                rows.prefetch_ask(notice.user_id, notice.subject_id)
        found = [await self._applies(rows, notice, now) for notice in notices]
        still = [notice for notice, (_, result) in zip(notices, found, strict=True) if result]
        sending = await rows.notices.sending_all(still)
        decided: list[_ToSay | Delivered] = []
        for notice, (user, result) in zip(notices, found, strict=True):
            if user and result and notice.id in sending:
                rows.turn_to(user.id)
                words = await self._renderer.words(rows, user, result, now)
                decided.append(_ToSay(user, result, now, words, rows.prompt_ids.opened(user.id)))
            else:
                decided.append(Delivered.PUT_OFF if notice.id in rows.notices.postponed else Delivered.NEEDLESS)
        return decided

    async def _applies(self, rows: Rows, notice: Notice, now: datetime) -> tuple[User | None, Result | None]:
        """Return the user of a Notice, and what to tell them, if anything."""
        rows.turn_to(notice.user_id)
        user = await rows.users.find(notice.user_id)
        if user is None:
            return None, None
        if _needs_consent(notice) and not user.has_agreed:
            await rows.notices.suspend(notice, now + RECHECK)
            await await_consent(rows, user, now)
            return user, None
        if notice.kind.policy.can_wait and (free := free_at(user, now)) > now:
            await rows.notices.suspend(notice, free)
            return user, None
        return user, await self._notice_handlers[notice.kind](Visit(rows, user, now), notice)

    async def _take_in(self, notice: Notice) -> Delivered:
        await self._taking_in.run(notice)
        return Delivered.NEEDLESS  # another Notice tells the user how it went

    async def _show_menu(self, notice: Notice) -> Delivered:
        """Set the user's menu of commands at Telegram. If Telegram refuses, nothing is lost."""
        async with self._store.writing(notice.user_id) as rows:
            user = await rows.users.find(notice.user_id)
            if user is None or not await rows.notices.sending(notice):
                return Delivered.NEEDLESS
            menu = await menu_of(rows, user)
        shown = commands(say_in(user.language), **menu._asdict()) if any(menu) else None
        try:
            await self._sender.menu(user.id, shown)
        except (Blocked, Refused, Unreachable) as error:
            log.info("menu.not_set", error=type(error).__name__)
        return Delivered.SAID

    async def _hide(self, notice: Notice) -> Delivered:
        """Remove the messages that are due from the user's chat. Those that Telegram doesn't let us delete stay.

        One that asks about something undecided becomes a neutral line instead, which asks again. If it can't be
        changed, or goes by /hide, it is removed like the others: it may show private words, and /today asks again too.
        One that has asked and is too old to be removed is emptied.
        """
        async with self._store.reading() as rows:
            user = await rows.users.find(notice.user_id)
            due = await rows.traces.due(notice.user_id, self._clock.now())
        say = say_in(user.language if user else BASE)
        neutral = {each.message_id: undecided(say, each.asks) for each in due if each.asks and not each.by_hide}
        empty = {each.message_id: emptied(say) for each in due if each.is_old and each.message_id not in neutral}
        changed = {
            message_id
            for message_id, screen in (neutral | empty).items()
            if await self._sender.edit(notice.user_id, message_id, screen)
        }
        going = [each.message_id for each in due if each.message_id not in changed]
        await self._sender.delete(notice.user_id, going)
        async with self._store.writing(notice.user_id) as rows:
            await rows.notices.lock(notice)
            await rows.traces.stays(notice.user_id, [each.message_id for each in due if each.asks])
            await rows.traces.forget(notice.user_id, [each.message_id for each in due if not each.asks])
            if later := await rows.traces.next_due(notice.user_id, self._clock.now()):
                await rows.notices.put_off(notice, later)
                return Delivered.PUT_OFF
            await rows.notices.settle(notice, Settled.SENT, self._clock.now())
        return Delivered.SAID

    async def _note(self, user_id: int, message_id: int, screen: Screen, prompts: Prompts | None, rows: Rows) -> None:
        """Note what the message shows. It isn't removed automatically, since nobody knows when it is read."""
        if prompts:
            rows.prompt_ids.take(prompts)
        await note(rows, user_id, message_id, screen, self._clock.now())


def _needs_consent(notice: Notice) -> bool:
    policy = notice.kind.policy
    return policy.needs_consent and not policy.wordless
