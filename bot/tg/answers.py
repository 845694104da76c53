"""Answers updates: at once, or through the outbox if it takes longer than others should have to wait."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Final

import structlog
from telegram import CallbackQuery, Update

from bot.clock import Clock
from bot.delivery.courier import TRIES, Blocked, NotDelivered, Refused, Unreachable
from bot.delivery.keyed_locks import KeyedLocks
from bot.domain.invitations import read_secret, read_typed
from bot.domain.model import Notice, NoticeKind, User
from bot.domain.pairing import clean_name
from bot.domain.results import AnswerLost, ClockWanted, Erased, PlaceSought, Result
from bot.domain.typed import fold_line
from bot.i18n import Say, negotiate, say_in
from bot.logs import incident
from bot.services.pairing import recheck
from bot.services.profile import Profile
from bot.services.visit import Visit
from bot.storage.store import Rows, Store
from bot.tg.cards import note
from bot.tg.place_search import PlaceSearch
from bot.tg.rendering import Renderer
from bot.tg.screens import Place, Screen
from bot.tg.screens.screen import Card, DraftCard, LineCard
from bot.tg.sender import Delivery, Sender, TooSlow
from bot.tg.written import argument_of, written

_PATIENCE: Final = 3.0
"""Seconds after which an answer is late. Telegram hands out a hundred updates starting at the oldest unfinished one, so
an update whose answer has to wait would eventually keep everybody else's from arriving."""
_COPIES: Final = 3
"""How many copies of an answer may arrive if connections break: three are better than none."""
_COPIES_OF_AN_ASK: Final = 2
_REMEMBERED: Final = 10_000
_LOOK: Final = 0.5

log = structlog.stdlib.get_logger(__name__)


class Answers:
    """Sends answers, to each chat in the order of its updates."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        renderer: Renderer,
        sender: Sender,
        search: PlaceSearch,
        profile: Profile,
        due: Callable[[datetime], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._renderer = renderer
        self._sender = sender
        self._search = search
        self._profile = profile
        self._due = due
        self._chats = KeyedLocks()
        self._in_outbox: OrderedDict[int, None] = OrderedDict()  # chats with answers there, possibly sent by now
        self._given: dict[int, tuple[int, asyncio.Future[None]]] = {}  # by update: its chat, and a future for its end
        self._cards: list[tuple[int, int, Card]] = []  # chat, message and card, to be stored with the next turn
        self._since: dict[int, tuple[float, int]] = {}  # by chat: when answering began, and how many wait

    async def recall(self) -> None:
        """Find out at startup which chats have answers in the outbox: new answers have to come after those."""
        async with self._store.reading() as rows:
            self._in_outbox = OrderedDict.fromkeys(await rows.notices.waiting_for(NoticeKind.ANSWER))

    async def note_cards(self, rows: Rows) -> None:
        """Store which messages have become cards of Lines and Drafts, in a transaction that is open anyway.

        A card that is lost in a crash keeps its buttons, which say so when they are no longer valid.
        """
        cards, self._cards = self._cards, []
        for chat_id, message_id, card in cards:
            await note(rows, chat_id, message_id, card)

    def are_late(self, update_id: int) -> bool:
        """Return whether only this update's answer is missing, for longer than others should have to wait."""
        if update_id not in self._given:
            return False
        since, _ = self._since[self._given[update_id][0]]
        return asyncio.get_running_loop().time() - since >= _PATIENCE

    async def under_way(self, update_id: int) -> bool:
        """Return whether this update, arriving again, is already being answered; if so, wait until that is done."""
        if update_id not in self._given:
            return False
        await asyncio.wait({self._given[update_id][1]})
        return True

    async def give(
        self,
        update: Update,
        user: User | None,
        language: str,
        result: Result,
        now: datetime,
        *,
        before: int = 0,
    ) -> bool:
        """Answer `update` with `result`. Returns whether that is done; if not, the outbox takes over.

        `before` is how many times the answer may already have been sent.
        """
        if (place := update.effective_chat) and place.type != place.PRIVATE:
            return True  # private things are not said in front of others
        if chat := place or user:
            async with self._giving(update.update_id, chat.id):
                return await self._give(chat.id, update, user, language, result, now, before=before)
        return True

    async def reply(self, update: Update, result: Result) -> None:
        """Answer an update that has had no effect."""
        if person := update.effective_user:
            await self.give(update, None, negotiate(person.language_code), result, self._clock.now())

    async def acknowledge_tap(self, update: Update) -> None:
        """Acknowledge a tap in a group or channel, and say nothing there."""
        if update.callback_query:
            await self._acknowledge_tap(update.callback_query, self._sender.delivery_to(0))

    async def leave(self, update: Update, goodbye: Callable[[Say], str]) -> None:
        """Say goodbye, if that is allowed, and leave the group or channel of this update. Nothing is stored."""
        person = update.effective_user
        if (chat := update.effective_chat) is None or await self.under_way(update.update_id):
            return
        screen = Screen(goodbye(say_in(negotiate(person.language_code if person else None))))
        async with self._giving(update.update_id, chat.id):
            await self._leave(screen, self._sender.delivery_to(chat.id))

    @asynccontextmanager
    async def _giving(self, update_id: int, chat_id: int) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        given: asyncio.Future[None] = loop.create_future()
        since, waiting = self._since.get(chat_id, (loop.time(), 0))
        self._since[chat_id] = since, waiting + 1
        self._given[update_id] = chat_id, given
        try:
            async with self._chats.locked(chat_id):
                yield
        finally:
            del self._given[update_id]
            since, waiting = self._since.pop(chat_id)
            if waiting > 1:
                self._since[chat_id] = since, waiting - 1
            given.set_result(None)

    async def _give(
        self,
        chat_id: int,
        update: Update,
        user: User | None,
        language: str,
        result: Result,
        now: datetime,
        *,
        before: int,
    ) -> bool:
        language = user.language if user else language
        if isinstance(result, ClockWanted):
            self._search.prepare_soon()
        places = await self._search.sought(update, say_in(language)) if isinstance(result, PlaceSought) else ()
        from_update = {**_known_from_update(update), **_counted(update)}
        screen = await self._renderer.screen(result, user, language, now, places, from_update)
        if screen and screen.ask_id and before >= _COPIES_OF_AN_ASK and not _edits(update, screen):
            log.warning("answer.assumed", update=update.update_id)
            return True
        by_rows = user is not None
        send = partial(self._send_answer, update, screen, result, before)
        delivery = self._sender.delivery_to(chat_id, patience=_PATIENCE)
        if (too_slow := await self._behind(chat_id, now)) is None:
            try:
                await send(delivery)
            except TooSlow as raised:
                too_slow = raised
        if too_slow is None:
            return True
        if update.callback_query and not delivery.tap_acknowledged:
            await self._acknowledge_tap(update.callback_query, delivery)
        if by_rows and result.from_rows:
            await self._to_outbox(chat_id, update.update_id, screen, too_slow, before)
            return False
        # No Notice can take over, as nothing is stored about somebody who hasn't agreed: the update stays unfinished.
        await self._outbox_done(chat_id)
        delivery.wait_without_limit()
        await send(delivery)
        return True

    # When it takes long

    async def _behind(self, chat_id: int, now: datetime) -> TooSlow | None:
        """Return how long to wait if earlier answers to this chat are still in the outbox."""
        if chat_id not in self._in_outbox:
            return None
        async with self._store.reading() as rows:
            due_at = await rows.notices.last_due(chat_id, NoticeKind.ANSWER, now)
        if due_at is None:
            self._in_outbox.pop(chat_id, None)
            return None
        return TooSlow(due_at - now)

    async def _outbox_done(self, chat_id: int) -> None:
        while await self._behind(chat_id, self._clock.now()):  # noqa: ASYNC110  # rows change, which sets no event
            await asyncio.sleep(_LOOK)

    async def _acknowledge_tap(self, query: CallbackQuery, delivery: Delivery) -> None:
        """Stop the spinner that Telegram shows on a tapped button: without an answer, or before one that is late."""
        try:
            delivery.tap_acknowledged = await self._sender.toast(query.id)
        except NotDelivered as error:
            log.info("clock.stays", error=type(error).__name__)

    async def _to_outbox(
        self, chat_id: int, update_id: int, screen: Screen | None, too_slow: TooSlow, before: int
    ) -> None:
        """Leave the answer to the outbox; the update counts as answered."""
        now = self._clock.now()
        unclear = too_slow.unclear
        if screen and screen.ask_id:
            unclear += _COPIES - _COPIES_OF_AN_ASK + before
        async with self._store.writing(chat_id) as rows:
            if screen and await rows.users.find(chat_id):
                due_at = now + too_slow.wait
                await rows.notices.add([(chat_id, NoticeKind.ANSWER, update_id, due_at)], now, unclear=unclear)
                await rows.updates.leave_to_outbox(update_id)
            else:
                await rows.updates.mark_answered([update_id])
        log.info("answer.later", update=update_id, wait=too_slow.wait.total_seconds())
        self._in_outbox[chat_id] = None
        while len(self._in_outbox) > _REMEMBERED:
            self._in_outbox.popitem(last=False)
        if rows.due_at:
            self._due(rows.due_at)

    # Sending the answer

    async def _send_answer(
        self, update: Update, screen: Screen | None, result: Result, before: int, delivery: Delivery
    ) -> None:
        """Send the answer. Raises TooSlow."""
        shown = None
        try:
            if update.callback_query:
                shown = await self._answer_tap(delivery, update.callback_query, screen, before)
            elif screen:
                message = update.effective_message
                reply_to = message.message_id if message and update.edited_message else None
                shown = await self._send_screen(delivery, screen, before, reply_to=reply_to)
            for message_id in result.stale:
                if message_id != shown:
                    await self._strip(delivery, message_id)
            if isinstance(result, Erased):
                await self._forget_menu(delivery)
        except Blocked:
            async with self._store.writing(delivery.chat_id) as rows:
                await self._profile.blocked(rows, await rows.users.find(delivery.chat_id), self._clock.now())
        except Refused as refused:
            incident(log, refused, update=update.update_id, result=type(result).__name__)
        except Unreachable:
            log.warning("chat.not_found", update=update.update_id)

    async def _answer_tap(
        self, delivery: Delivery, query: CallbackQuery, screen: Screen | None, before: int
    ) -> int | None:
        """Answer a tap. Returns the id of the message that shows the screen."""
        toast = screen.text if screen and screen.place is Place.TOAST else None
        shown = False
        if not delivery.tap_acknowledged:
            shown = await delivery.retry(lambda: self._sender.toast(query.id, toast)) is True
            delivery.tap_acknowledged = True
        if screen is None or (toast and shown):
            return None
        tapped = query.message.message_id if query.message else None
        if tapped is None or screen.wants_location or screen.place in {Place.BESIDE, Place.TOAST}:
            return await self._send_screen(delivery, screen, before)
        if screen.place is Place.BELOW:
            below = await self._send_screen(delivery, screen, before)
            await self._strip(delivery, tapped)
            return below
        if await delivery.retry(lambda: self._sender.edit(delivery.chat_id, tapped, screen)) is False:
            return await self._send_screen(delivery, screen, before)
        await self._note(delivery.chat_id, tapped, screen)
        return tapped

    async def _forget_menu(self, delivery: Delivery) -> None:
        """Show the default menu again, as nothing is known about this user any longer."""
        try:
            await delivery.retry(lambda: self._sender.menu(delivery.chat_id, None))
        except TooSlow:
            log.info("menu.stays")

    async def _strip(self, delivery: Delivery, message_id: int) -> None:
        """Remove buttons that are no longer valid. If that fails they stay, and say so when they are tapped."""
        try:
            await delivery.retry(lambda: self._sender.strip(delivery.chat_id, message_id))
        except TooSlow:
            log.debug("buttons.stay", message=message_id)

    async def _send_screen(
        self, delivery: Delivery, screen: Screen, before: int, *, reply_to: int | None = None
    ) -> int | None:
        chat_id = delivery.chat_id
        copies = max(_COPIES_OF_AN_ASK - before, 1) if screen.ask_id else _COPIES
        message_id = await delivery.retry(lambda: self._sender.send(chat_id, screen, reply_to=reply_to), copies=copies)
        if message_id:
            await self._note(chat_id, message_id, screen)
        return message_id

    async def _note(self, chat_id: int, message_id: int, screen: Screen) -> None:
        """Store which card this message is now; at once if a reply to it has to be understood."""
        if isinstance(screen.card, LineCard | DraftCard):
            self._cards.append((chat_id, message_id, screen.card))
        elif screen.card:
            async with self._store.writing(chat_id) as rows:
                await note(rows, chat_id, message_id, screen.card)

    async def _leave(self, goodbye: Screen, delivery: Delivery) -> None:
        for step, copies in (
            (lambda: self._sender.send(delivery.chat_id, goodbye), _COPIES),
            (lambda: self._sender.leave(delivery.chat_id), None),
        ):
            try:
                await delivery.retry(step, copies=copies)
            except NotDelivered as final:  # not allowed to write, already gone, or now a supergroup
                log.info("group.silent", error=type(final).__name__)


async def answer_later(visit: Visit, notice: Notice) -> Result | None:
    """Return what to say to an update that couldn't be answered at once; None once Telegram's own day is over.

    If making the answer keeps failing, the user is told that it got lost.
    """
    if notice.failures >= TRIES:
        return AnswerLost()
    seen = await visit.rows.updates.find(notice.subject_id)
    return await recheck(visit.rows, visit.user, seen.result) if seen else None


def first_name_of(update: Update) -> str:
    """Return the first name that Telegram shows for the user who acted."""
    return clean_name(update.effective_user.first_name) if update.effective_user else ""


def _edits(update: Update, screen: Screen) -> bool:
    """True if the answer edits the tapped message, which puts its question only once however often it is repeated."""
    query = update.callback_query
    return query is not None and query.message is not None and screen.place is Place.HERE


def _counted(update: Update) -> Mapping[str, str]:
    """Return the length of the text that came in. Only an answer sent at once has it, as no Result stores it."""
    text = update.effective_message.text if update.effective_message and not update.callback_query else None
    return {"length": str(len(fold_line(text)))} if text else {}


def _known_from_update(update: Update) -> Mapping[str, str]:
    """Return what only the update itself contains: the name that Telegram shows, and an Invite that somebody came with.

    Nothing about a person is stored before they agree; until then the Invite travels in the button they agree with.
    """
    if update.callback_query:
        secret = read_secret((update.callback_query.data or "").rpartition(":")[2])
    else:
        text = written(update.effective_message)
        secret = read_secret(argument) if (argument := argument_of(text)) else read_typed(text)
    return {"first_name": first_name_of(update), "secret": secret.text if secret else ""}
