"""A turn: one update of one user, from its effect in one transaction to its answer."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import structlog
from telegram import CallbackQuery, Message, Update

from bot.clock import Clock
from bot.delivery.courier import Blocked, Refused
from bot.domain.model import Step, User, Waiting
from bot.domain.pairing import clean_name, read_secret
from bot.domain.results import ClockWanted, Erased, Outdated, PlaceSought, Result
from bot.domain.times import is_zone
from bot.domain.typed import parse_zone
from bot.i18n import Say, negotiate, say_in
from bot.logs import incident
from bot.places import Places, PlacesError
from bot.services.pace import Pace
from bot.services.profile import Profile
from bot.storage.store import Rows, Store
from bot.tg.callbacks import NotOurs, Tap
from bot.tg.post import Post
from bot.tg.rendering import Renderer
from bot.tg.screens import Place, Screen
from bot.tg.screens.screen import keyboard_goes

_PLACES_SHOWN: Final = 6
_COPIES: Final = 3
"""So often an answer may arrive where connections break under it: rather thrice than not at all."""
_COPIES_OF_AN_ASK: Final = 2
_OF_A_QUESTION: Final = frozenset(("another", "lighter", "later", "snooze", "skip", "back"))
"""Taps on a question say that somebody is there, but not that they want one every day."""

log = structlog.stdlib.get_logger(__name__)


@dataclass(slots=True)
class Turn:
    """What a handler is given: the facts of the update, and the transaction in which its effect happens."""

    update: Update
    rows: Rows
    user_id: int
    user: User | None
    language: str
    now: datetime
    tap: Tap | None = None

    @property
    def message(self) -> Message:
        """The message that was sent. Raises LookupError for a tap."""
        if (message := self.update.effective_message) is None:
            raise LookupError("no message")
        return message

    @property
    def text(self) -> str:
        return self.message.text or ""

    @property
    def argument(self) -> str:
        """What stands behind the command."""
        return _argument(self.text)

    @property
    def first_name(self) -> str:
        """What Telegram shows as the first name of whose turn it is."""
        return _first_name(self.update)

    @property
    def owner(self) -> User:
        """The user who has agreed and whose turn it is. Raises NotOurs where nobody has."""
        if self.user is None:
            raise NotOurs
        return self.user

    @property
    def about(self) -> int:
        """The id on the button that was tapped. Raises NotOurs."""
        if self.tap is None:
            raise NotOurs
        return self.tap.id


Handler = Callable[[Turn], Awaitable[Result]]


def _argument(text: str) -> str:
    command, _, argument = text.partition(" ")
    return argument.strip() if command.startswith("/") else ""


def _first_name(update: Update) -> str:
    return clean_name(update.effective_user.first_name) if update.effective_user else ""


def _heard(update: Update) -> Mapping[str, str]:
    """What only the update itself knows: the name Telegram shows, and an Invite that somebody came with.

    Nothing of a person is stored before they agree; until then the Invite travels in the button they agree with.
    """
    if update.callback_query:
        carried = (update.callback_query.data or "").rpartition(":")[2]
    else:
        text = (update.effective_message.text if update.effective_message else None) or ""
        carried = _argument(text) or text
    secret = read_secret(carried)
    return {"first_name": _first_name(update), "secret": secret.text if secret else ""}


async def _leaves_keyboard(turn: Turn) -> bool:
    """Whether a keyboard for the location is left behind: by a command, or as nobody waits for one any more."""
    message = turn.update.message
    if turn.user is None or message is None:
        return False
    if (message.text or "").startswith("/"):
        return await turn.rows.dialogs.forget(turn.user.id, only=(Waiting.PLACE,))
    if message.location is None or turn.user.step is not Step.READY:
        return False
    return await turn.rows.dialogs.awaited(turn.user.id, turn.now) not in {Waiting.PLACE, Waiting.ZONE}


class Turns:
    """Takes updates: effect first, then the answer; what had its effect already is only answered."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        renderer: Renderer,
        post: Post,
        places: Places,
        profile: Profile,
        pace: Pace,
        due: Callable[[datetime], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._renderer = renderer
        self._post = post
        self._places = places
        self._profile = profile
        self._pace = pace
        self._due = due
        self._answered: list[int] = []

    async def take(self, update: Update, handler: Handler, tap: Tap | None = None) -> None:
        """Let `handler` have its effect and answer with the result."""
        person = update.effective_user
        if person is None:
            return
        now = self._clock.now()
        keyboard = False
        async with self._store.writing(person.id) as rows:
            answered, self._answered = self._answered, []
            await rows.updates.answered(answered)
            seen = await rows.updates.find(update.update_id)
            if seen and seen.answered:
                return
            user = await rows.users.find(person.id)
            language = negotiate(person.language_code)
            if user and not seen:
                user = await self._profile.speaks(rows, user, language)
                language = user.language  # also of the last word to somebody who erases everything
                if user.blocked_at and not update.my_chat_member:  # who writes to us has not blocked us
                    await self._profile.unblocked(rows, user, now)
                    user = await rows.users.find(person.id) or user
                if not update.my_chat_member:
                    user = await self._pace.heard(rows, user, now, wakes=not tap or tap.action not in _OF_A_QUESTION)
            if seen:
                result = seen.result
            else:
                turn = Turn(update, rows, person.id, user, language, now, tap)
                keyboard = await _leaves_keyboard(turn)
                try:
                    result = await handler(turn)
                except NotOurs:
                    result = Outdated()
                await rows.updates.mark(update.update_id, result, now)
            user = await rows.users.find(person.id)
        if rows.due_at:
            self._due(rows.due_at)
        if isinstance(result, Erased):
            await self._store.tidy()  # what was deleted would stay in the write-ahead log for a while
        await self._answer(update, user, language, result, now, keyboard=keyboard)
        self._answered.append(update.update_id)

    async def flush(self) -> None:
        """Note which answers are known to be sent; otherwise that waits for the next turn."""
        answered, self._answered = self._answered, []
        if answered:
            async with self._store.writing() as rows:
                await rows.updates.answered(answered)

    async def leave(self, update: Update, goodbye: Callable[[Say], str]) -> None:
        """Leave the group or channel of this update after saying goodbye, where that is allowed. Nothing is stored."""
        person = update.effective_user
        if (chat := update.effective_chat) is None:
            return
        screen = Screen(goodbye(say_in(negotiate(person.language_code if person else None))))
        for send, copies in (
            (lambda: self._post.send(chat.id, screen), _COPIES),
            (lambda: self._post.leave(chat.id), None),
        ):
            try:
                await self._post.insist(chat.id, send, copies=copies)
            except (Blocked, Refused) as refused:  # not allowed to write there, or gone already
                log.info("group.silent", error=type(refused).__name__)

    async def say(self, update: Update, result: Result) -> None:
        """Answer without an effect."""
        person = update.effective_user
        if person:
            await self._answer(update, None, negotiate(person.language_code), result, self._clock.now())

    async def _answer(
        self,
        update: Update,
        user: User | None,
        language: str,
        result: Result,
        now: datetime,
        *,
        keyboard: bool = False,
    ) -> None:
        """`keyboard` says that the one which asks for the location is to go with it."""
        chat_id = update.effective_chat.id if update.effective_chat else (user.id if user else None)
        if chat_id is None:
            return
        language = user.language if user else language
        if isinstance(result, ClockWanted):
            self._places.prepare_soon()
        places = await self._sought(update, say_in(language)) if isinstance(result, PlaceSought) else ()
        screen = await self._renderer.screen(result, user, language, now, places, _heard(update))
        if keyboard and screen and screen.first is None:
            screen = replace(screen, first=keyboard_goes(say_in(language)))
        try:
            if update.callback_query:
                await self._answer_tap(chat_id, update.callback_query, screen)
            elif screen:
                await self._answer_message(chat_id, update, screen)
        except Blocked:
            async with self._store.writing(chat_id) as rows:
                await self._profile.blocked(rows, await rows.users.find(chat_id), now)
        except Refused as refused:
            incident(log, refused, update=update.update_id, result=type(result).__name__)

    async def _answer_message(self, chat_id: int, update: Update, screen: Screen) -> None:
        message = update.effective_message
        reply_to = message.message_id if message and update.edited_message else None
        await self._send(chat_id, screen, reply_to=reply_to)

    async def _answer_tap(self, chat_id: int, query: CallbackQuery, screen: Screen | None) -> None:
        toast = screen.text if screen and screen.place is Place.TOAST else None
        shown = await self._post.insist(chat_id, lambda: self._post.toast(query.id, toast))
        if screen is None or (toast and shown):
            return
        tapped = query.message.message_id if query.message else None
        if tapped is None or screen.wants_location or screen.place in {Place.BESIDE, Place.TOAST}:
            await self._send(chat_id, screen)
        elif screen.place is Place.BELOW:
            await self._send(chat_id, screen)
            await self._post.insist(chat_id, lambda: self._post.strip(chat_id, tapped))
        elif await self._post.insist(chat_id, lambda: self._post.edit(chat_id, tapped, screen)) is False:
            await self._send(chat_id, screen)

    async def _send(self, chat_id: int, screen: Screen, *, reply_to: int | None = None) -> None:
        if (first := screen.first) is not None:
            await self._post.insist(chat_id, lambda: self._post.free_keyboard(chat_id, first), copies=_COPIES)
        copies = _COPIES_OF_AN_ASK if screen.ask_id else _COPIES
        message_id = await self._post.insist(
            chat_id, lambda: self._post.send(chat_id, screen, reply_to=reply_to), copies=copies
        )
        if message_id and screen.ask_id:
            async with self._store.writing(chat_id) as rows:
                await rows.asks.showing(chat_id, message_id, screen.ask_id)

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
