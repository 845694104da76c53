"""What is said to an update: at once, or by the outbox where it takes longer than others could wait for."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog
from telegram import CallbackQuery, Update

from bot.clock import Clock
from bot.delivery.courier import Blocked, Refused
from bot.domain.model import Notice, NoticeKind, User
from bot.domain.pairing import clean_name, read_secret
from bot.domain.results import ClockWanted, PlaceSought, Result
from bot.domain.times import is_zone
from bot.domain.typed import parse_zone
from bot.i18n import Say, negotiate, say_in
from bot.logs import incident
from bot.places import Places, PlacesError
from bot.services.profile import Profile
from bot.storage.store import Rows, Store
from bot.tg.post import Errand, Post, Waits
from bot.tg.rendering import Renderer
from bot.tg.screens import Place, Screen
from bot.tg.screens.screen import keyboard_goes

_PATIENCE: Final = 3.0
"""Seconds for which an answer is waited for with its update unfinished. Telegram hands out a hundred from the oldest
unfinished one on, so an answer that has to wait longer would in the end keep everybody's from coming."""
_PLACES_SHOWN: Final = 6
_COPIES: Final = 3
"""So often an answer may arrive where connections break under it: rather thrice than not at all."""
_COPIES_OF_AN_ASK: Final = 2
_ON_THEIR_WAY: Final = 1000
"""Answers at the most that wait in memory alone; one more is waited for with its update unfinished."""
_REMEMBERED: Final = 10_000

log = structlog.stdlib.get_logger(__name__)


class Answers:
    """Gives answers, to each chat in the order of its updates."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        renderer: Renderer,
        post: Post,
        places: Places,
        profile: Profile,
        due: Callable[[datetime], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._renderer = renderer
        self._post = post
        self._places = places
        self._profile = profile
        self._due = due
        self._in_outbox: OrderedDict[int, None] = OrderedDict()  # chats with answers there, maybe given by now
        self._in_memory: set[asyncio.Task[None]] = set()
        self._last: dict[int, asyncio.Task[None]] = {}  # of those, by chat

    async def give(
        self,
        update: Update,
        user: User | None,
        language: str,
        result: Result,
        now: datetime,
        *,
        keyboard: bool = False,
    ) -> None:
        """Answer `update` with `result`; when it returns, that is done or in good hands.

        `keyboard` says that the one which asks for the location is to go with it.
        """
        chat_id = update.effective_chat.id if update.effective_chat else (user.id if user else None)
        if chat_id is None:
            return
        language = user.language if user else language
        if isinstance(result, ClockWanted):
            self._places.prepare_soon()
        places = await self._sought(update, say_in(language)) if isinstance(result, PlaceSought) else ()
        screen = await self._renderer.screen(result, user, language, now, places, _heard(update))
        by_rows = user is not None and not keyboard
        if keyboard and screen and screen.first is None:
            screen = replace(screen, first=keyboard_goes(say_in(language)))
        say = partial(self._say, chat_id, update, screen, type(result).__name__)
        waits = await self._behind(chat_id, now)
        if waits is None:
            try:
                await say(self._post.errand(chat_id, patience=_PATIENCE))
            except Waits as too_long:
                waits = too_long
        if waits is None:
            return
        if by_rows and screen == await self._renderer.screen(result, user, language, now):
            await self._to_outbox(chat_id, update.update_id, screen, waits)
        else:
            await self._go_on(chat_id, say)

    async def say(self, update: Update, result: Result) -> None:
        """Answer what has had no effect."""
        if person := update.effective_user:
            await self.give(update, None, negotiate(person.language_code), result, self._clock.now())

    async def leave(self, update: Update, goodbye: Callable[[Say], str]) -> None:
        """Leave the group or channel of this update after saying goodbye, where that is allowed. Nothing is stored."""
        person = update.effective_user
        if (chat := update.effective_chat) is None:
            return
        screen = Screen(goodbye(say_in(negotiate(person.language_code if person else None))))
        go = partial(self._leave, chat.id, screen)
        try:
            await go(self._post.errand(chat.id, patience=_PATIENCE))
        except Waits:
            await self._go_on(chat.id, go)

    async def finish(self) -> None:
        """Wait until nothing waits in memory any more."""
        while self._in_memory:
            await asyncio.wait(self._in_memory)

    async def abandon(self) -> None:
        """Drop what still waits in memory."""
        if not self._in_memory:
            return
        log.warning("answers.dropped", count=len(self._in_memory))
        for task in self._in_memory:
            task.cancel()
        await self.finish()

    # Where it takes long

    async def _behind(self, chat_id: int, now: datetime) -> Waits | None:
        """Where earlier answers to this chat still wait: what to wait for."""
        if chat_id in self._last:
            return Waits(timedelta())
        if chat_id not in self._in_outbox:
            return None
        async with self._store.reading() as rows:
            due_at = await rows.notices.last_due(chat_id, NoticeKind.ANSWER, now)
        if due_at is None:
            self._in_outbox.pop(chat_id, None)
            return None
        return Waits(due_at - now)

    async def _to_outbox(self, chat_id: int, update_id: int, screen: Screen | None, waits: Waits) -> None:
        """The outbox answers later; the update counts as answered."""
        now = self._clock.now()
        unclear = waits.unclear
        if screen and screen.ask_id:
            unclear += _COPIES - _COPIES_OF_AN_ASK
        async with self._store.writing(chat_id) as rows:
            if screen and await rows.users.find(chat_id):
                due_at = now + waits.wait
                await rows.notices.add([(chat_id, NoticeKind.ANSWER, update_id, due_at)], now, unclear=unclear)
            await rows.updates.answered([update_id])
        log.info("answer.later", update=update_id, wait=waits.wait.total_seconds())
        self._in_outbox[chat_id] = None
        while len(self._in_outbox) > _REMEMBERED:
            self._in_outbox.popitem(last=False)
        if rows.due_at:
            self._due(rows.due_at)

    async def _go_on(self, chat_id: int, say: Callable[[Errand], Awaitable[None]]) -> None:
        """Go on beside the updates, for what no row can say: nothing of somebody who hasn't agreed is kept."""
        if len(self._in_memory) >= _ON_THEIR_WAY:
            await say(self._post.errand(chat_id))
            return
        task = asyncio.create_task(self._after(self._last.get(chat_id), chat_id, say), name="answer")
        self._in_memory.add(task)
        task.add_done_callback(self._in_memory.discard)
        self._last[chat_id] = task

    async def _after(
        self, before: asyncio.Task[None] | None, chat_id: int, say: Callable[[Errand], Awaitable[None]]
    ) -> None:
        try:
            if before:
                await asyncio.wait({before})
            await say(self._post.errand(chat_id))
        except Exception as error:  # noqa: BLE001  # nobody else would hear of it
            incident(log, error)
        finally:
            if self._last.get(chat_id) is asyncio.current_task():
                del self._last[chat_id]

    # Saying it

    async def _say(self, chat_id: int, update: Update, screen: Screen | None, what: str, errand: Errand) -> None:
        """Raises Waits."""
        try:
            if update.callback_query:
                await self._answer_tap(errand, update.callback_query, screen)
            elif screen:
                message = update.effective_message
                reply_to = message.message_id if message and update.edited_message else None
                await self._send(errand, screen, reply_to=reply_to)
        except Blocked:
            async with self._store.writing(chat_id) as rows:
                await self._profile.blocked(rows, await rows.users.find(chat_id), self._clock.now())
        except Refused as refused:
            incident(log, refused, update=update.update_id, result=what)

    async def _answer_tap(self, errand: Errand, query: CallbackQuery, screen: Screen | None) -> None:
        toast = screen.text if screen and screen.place is Place.TOAST else None
        shown = await errand.insist(lambda: self._post.toast(query.id, toast))
        if screen is None or (toast and shown):
            return
        tapped = query.message.message_id if query.message else None
        if tapped is None or screen.wants_location or screen.place in {Place.BESIDE, Place.TOAST}:
            await self._send(errand, screen)
        elif screen.place is Place.BELOW:
            await self._send(errand, screen)
            try:
                await errand.insist(lambda: self._post.strip(errand.chat_id, tapped))
            except Waits:
                log.debug("buttons.stay", message=tapped)
        elif await errand.insist(lambda: self._post.edit(errand.chat_id, tapped, screen)) is False:
            await self._send(errand, screen)

    async def _send(self, errand: Errand, screen: Screen, *, reply_to: int | None = None) -> None:
        chat_id = errand.chat_id
        if (first := screen.first) is not None:
            try:
                await errand.insist(lambda: self._post.free_keyboard(chat_id, first), copies=_COPIES)
            except Waits as waits:
                raise Waits(waits.wait) from None  # how often this one came doesn't count for the next
        copies = _COPIES_OF_AN_ASK if screen.ask_id else _COPIES
        message_id = await errand.insist(lambda: self._post.send(chat_id, screen, reply_to=reply_to), copies=copies)
        if message_id and screen.ask_id:
            async with self._store.writing(chat_id) as rows:
                await rows.asks.showing(chat_id, message_id, screen.ask_id)

    async def _leave(self, chat_id: int, goodbye: Screen, errand: Errand) -> None:
        for step, copies in (
            (lambda: self._post.send(chat_id, goodbye), _COPIES),
            (lambda: self._post.leave(chat_id), None),
        ):
            try:
                await errand.insist(step, copies=copies)
            except (Blocked, Refused) as refused:  # not allowed to write there, or gone already
                log.info("group.silent", error=type(refused).__name__)

    async def _sought(self, update: Update, say: Say) -> tuple[tuple[str, str], ...]:
        """The places that fit what was typed or shared, named in the user's language, with their zones."""
        message = update.effective_message
        if message is None:
            return ()
        try:
            if message.location:
                zone = await self._places.zone_at(message.location.latitude, message.location.longitude)
                return ((say.city(zone), zone),) if zone and is_zone(zone) else ()
            if zone := parse_zone(message.text or ""):
                return ((say.city(zone), zone),)
            found = await self._places.find(message.text or "", limit=_PLACES_SHOWN)
        except PlacesError as error:
            incident(log, error, update=update.update_id)
            return ()
        return tuple(
            (f"{say.town(place.name, place.zone)}, {say.country(place.country_code)}", place.zone)
            for place in found
            if is_zone(place.zone)
        )


async def answer_later(rows: Rows, _user: User, notice: Notice, _now: datetime) -> Result | None:
    """What to say to an update whose answer could not be given at once; None where Telegram's own day is over."""
    seen = await rows.updates.find(notice.subject_id)
    return seen.result if seen else None


def argument_of(text: str) -> str:
    """What stands behind the command."""
    command, _, argument = text.partition(" ")
    return argument.strip() if command.startswith("/") else ""


def first_name_of(update: Update) -> str:
    """What Telegram shows as the first name of who acted."""
    return clean_name(update.effective_user.first_name) if update.effective_user else ""


def _heard(update: Update) -> Mapping[str, str]:
    """What only the update itself knows: the name Telegram shows, and an Invite that somebody came with.

    Nothing of a person is stored before they agree; until then the Invite travels in the button they agree with.
    """
    if update.callback_query:
        carried = (update.callback_query.data or "").rpartition(":")[2]
    else:
        text = (update.effective_message.text if update.effective_message else None) or ""
        carried = argument_of(text) or text
    secret = read_secret(carried)
    return {"first_name": first_name_of(update), "secret": secret.text if secret else ""}
