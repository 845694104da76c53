"""Sends answers to updates: shows the Result of an update where its user acted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog

from bot.clock import Clock
from bot.delivery.courier import TRIES, Delivered, NotDelivered
from bot.delivery.outbox import Ready
from bot.delivery.pacer import Pacer
from bot.domain.invitations import read_secret, read_typed
from bot.domain.model import User
from bot.domain.notices import Notice
from bot.domain.pairing import clean_name
from bot.domain.results import AnswerLost, ClockWanted, Deleted, Erased, PlaceSought, Result, Support, unpack
from bot.domain.results.journal import JournalPage, JournalSought, JournalWords
from bot.domain.typed import fold_line
from bot.i18n import negotiate, say_in
from bot.library.phrases import Phrases
from bot.logs import ThrottledLog, safe_error
from bot.services import traces
from bot.services.journal import JournalSearch
from bot.services.pairing import recheck
from bot.storage.store import Rows, Store
from bot.tg.cards import note
from bot.tg.place_search import PlaceSearch
from bot.tg.rendering import Renderer
from bot.tg.screens import Place, Screen
from bot.tg.sender import Sender
from bot.tg.updates import CallbackQuery, Update, read
from bot.tg.written import argument_of, written

_LATE: Final = timedelta(seconds=3)
"""After this time the answer to a tap comes as a new message, since a change of an old message would be overlooked."""
_TAP_EXPIRES: Final = timedelta(minutes=2)
"""After this time we don't stop a spinner: Telegram has given up waiting, reportedly after 10 to 20 seconds."""
_COPIES_OF_AN_ASK: Final = 2
"""How often we send an Ask that may have arrived. It is also under /today, and a third copy would be asking again."""

log = structlog.stdlib.get_logger(__name__)
throttled = ThrottledLog(log)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to an update."""

    notice: Notice | None
    """Its row of the outbox, if it can be sent at once."""
    update: Update | None
    """The update that it answers; None if its content is no longer known."""
    chat_id: int
    user: User | None
    language: str
    result: Result
    now: datetime
    words: Mapping[str, str]
    """Users' words that the screen shows."""
    places: tuple[tuple[str, str], ...] = ()
    """The places that it shows, as in View."""
    unclear: int = 0
    """How many earlier attempts may have arrived."""
    is_late: bool = False
    tap_expired: bool = False
    """Whether Telegram has stopped the tapped button's spinner, and no longer takes a toast."""

    @property
    def query(self) -> CallbackQuery | None:
        """The tap that it answers."""
        return self.update.callback_query if self.update else None


@dataclass(frozen=True, slots=True)
class Searches:
    """Searches made only when an answer is sent, because we store nothing of them or because they take a while."""

    places: PlaceSearch
    journal: JournalSearch
    phrases: Phrases
    """Decides whether a text sounds like a crisis or like fear of somebody."""


class Answers:
    """Sends answers. Failures raise a NotDelivered, and the outbox decides when to try again."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        renderer: Renderer,
        sender: Sender,
        pacer: Pacer,
        searches: Searches,
    ) -> None:
        self._store = store
        self._clock = clock
        self._renderer = renderer
        self._sender = sender
        self._pacer = pacer
        self._places = searches.places
        self._journal = searches.journal
        self._phrases = searches.phrases
        self._without_card: dict[int, Shown] = {}
        """By chat: the shown part of an answer whose Safety card couldn't be sent yet."""

    def ready(self, answer: Answer) -> Ready:
        """Return this answer in the form in which the outbox sends it from memory."""
        shown = Shown(answer, self._clock)

        async def late() -> None:
            if answer.query and not shown.tap_acknowledged:
                await self._sender.stop_spinner(answer.query.id)

        return Ready(answer.notice, partial(self._send, answer, shown), late)

    async def deliver(self, notice: Notice) -> Delivered:
        """Send an answer from its row, by the current facts. Raises a NotDelivered.

        If its update is no longer known, it is needless. If making it keeps failing, we tell its user that it got lost.
        """
        now = self._clock.now()
        async with self._store.writing(notice.user_id) as rows:
            kept = await rows.inbox.find(notice.subject_id)
            if kept is None or not await rows.notices.sending(notice):
                return Delivered.NEEDLESS
            user = await rows.users.find(notice.user_id)
            result: Result = AnswerLost()
            if notice.failures < TRIES and notice.result:
                result = await recheck(rows, user, unpack(notice.result))
            words = await self._renderer.words(rows, user, result, now)
        update = read(kept.raw) if kept.raw else None
        person = update.effective_user if update else None
        language = user.language if user else negotiate(person.language_code if person else None)
        age = now - kept.received_at
        answer = Answer(
            notice,
            update,
            notice.user_id,
            user,
            language,
            result,
            now,
            words,
            unclear=notice.unclear,
            is_late=not notice.unclear and age >= _LATE,  # one that may have been shown is edited in place
            tap_expired=age >= _TAP_EXPIRES,
        )
        shown = await self._send(answer, Shown(answer, self._clock))
        async with self._store.writing(notice.user_id) as rows:
            await shown(rows)
        return Delivered.SAID

    async def _send(self, answer: Answer, shown: "Shown") -> "Shown":
        """Send the answer. Return `shown`, with what Telegram has accepted. Raises a NotDelivered."""
        if not shown.goes_on_from(self._without_card.pop(answer.chat_id, None)):
            await self._show(answer, shown)
        if not isinstance(answer.result, Support) and await self._sounds_alarming(answer):
            self._without_card[answer.chat_id] = shown  # if the card can't be sent now, only the card is retried
            await self._send_screen(answer, self._renderer.safety_card(answer.user, answer.language, answer.now), shown)
            self._without_card.pop(answer.chat_id, None)
        return shown

    async def _show(self, answer: Answer, shown: "Shown") -> None:
        """Show the answer's screen, by an edit or a new message, and remove the buttons that it makes outdated."""
        answer = await self._prepared(answer)
        words = _Words(answer.words, answer.update) if answer.update else answer.words
        screen = self._renderer.screen(answer.result, answer.user, answer.language, answer.now, words, answer.places)
        if screen and screen.ask_id and answer.unclear >= _COPIES_OF_AN_ASK and not _edits(answer, screen):
            log.warning("answer.assumed", update=answer.update.update_id if answer.update else None)
            return
        on = None
        if answer.query:
            on = await self._answer_tap(answer, answer.query, screen, shown)
        elif screen:
            on = await self._send_screen(answer, screen, shown)
        for message_id in answer.result.stale:
            if message_id != on:
                await self._sender.try_strip(answer.chat_id, message_id)
        if isinstance(answer.result, Erased):
            await self._forget_menu(answer.chat_id)

    async def _sounds_alarming(self, answer: Answer) -> bool:
        """Return whether the user has sent a text that calls for the Safety card, whatever we took it for.

        We decide this from the words each time and store it nowhere. Somebody who has withdrawn their consent was told
        that we read nothing they send, so their texts don't count.
        """
        if answer.user and not answer.user.has_agreed:
            return False
        update = answer.update
        message = update.effective_message if update and not update.callback_query else None
        text = (message.text or message.caption or "") if message and not message.is_forwarded else ""
        try:
            return await self._phrases.look_in(text)
        except Exception as error:  # noqa: BLE001  # the answer itself must not depend on this
            log.warning("phrases.failed", error=safe_error(error))
            return False

    async def _prepared(self, answer: Answer) -> Answer:
        """Do what the answer says is done, and find what it shows, outside the turn's transaction."""
        match answer.result:
            case Erased(pending=pending):
                await self._sender.delete(answer.chat_id, pending)
                await self._store.remove_asides(user_id=answer.chat_id)
                await self._store.sweep()
            case Deleted() | JournalPage(deleted=True):  # the answer says that nothing is left
                await self._store.sweep()
            case ClockWanted():
                self._places.prepare_soon()
            case PlaceSought():
                return replace(answer, places=await self._places.sought(answer.update, say_in(answer.language)))
            case JournalWords() if answer.user:
                return replace(answer, words=await self._journal.words(answer.user))
            case JournalSought() if answer.user:
                return await self._searched(answer, answer.user, answer.result)
        return answer

    async def _searched(self, answer: Answer, user: User, sought: JournalSought) -> Answer:
        """Search the Journal, which may take a while."""
        message = answer.update.effective_message if answer.update and not answer.query else None
        found = await self._journal.find(user, sought, fold_line(message.text or "") if message else "", answer.now)
        async with self._store.reading() as rows:
            return replace(answer, result=found, words=await self._renderer.words(rows, user, found, answer.now))

    async def _answer_tap(
        self, answer: Answer, query: CallbackQuery, screen: Screen | None, shown: "Shown"
    ) -> int | None:
        """Answer a tap. Return the id of the message that shows the screen."""
        toast = screen.text if screen and screen.place is Place.TOAST else None
        seen = not answer.tap_expired and await self._sender.toast(query.id, toast)
        shown.tap_acknowledged = True
        if screen is None or (toast and seen):
            return None
        tapped = query.message.message_id if query.message else None
        if tapped is None or answer.is_late or screen.wants_location or screen.place in {Place.BESIDE, Place.TOAST}:
            return await self._send_screen(answer, screen, shown)
        if screen.place is Place.BELOW:
            below = await self._send_screen(answer, screen, shown)
            await self._sender.try_strip(answer.chat_id, tapped)
            return below
        if not await self._sender.edit(answer.chat_id, tapped, screen):
            return await self._send_screen(answer, screen, shown)
        shown.add(tapped, screen)
        return tapped

    async def _send_screen(self, answer: Answer, screen: Screen, shown: "Shown") -> int:
        edited = answer.update.edited_message if answer.update else None
        self._pacer.count_sent()
        reply_to = edited.message_id if edited else None
        *before, message_id = await self._sender.send_all(answer.chat_id, screen, reply_to=reply_to)
        shown.before += before
        shown.add(message_id, screen)
        return message_id

    async def _forget_menu(self, chat_id: int) -> None:
        """Reset the menu to the default, as we know nothing about this user any longer."""
        try:
            await self._sender.menu(chat_id, None)
        except NotDelivered as error:
            log.info("menu.not_reset", error=type(error).__name__)


class Shown:
    """The part of an answer that Telegram has accepted, to be stored once all of it is sent."""

    def __init__(self, answer: Answer, clock: Clock) -> None:
        self._answer = answer
        self._clock = clock
        self.notice_id = answer.notice.id if answer.notice else None
        self.screens: list[tuple[int, Screen]] = []
        self.before: list[int] = []
        """Messages that came before one of the screens."""
        self.tap_acknowledged = False

    def goes_on_from(self, before: "Shown | None") -> bool:
        """Return whether `before` was an earlier attempt at the same answer. If so, take over what it has shown."""
        if before is None or before.notice_id is None or before.notice_id != self.notice_id:
            return False
        self.screens += before.screens
        self.before += before.before
        return True

    def add(self, message_id: int, screen: Screen) -> None:
        """Note that this message now shows this screen."""
        self.screens.append((message_id, screen))

    async def __call__(self, rows: Rows) -> None:
        """Store which messages are cards, and which should be removed from the chat and when."""
        answer, now = self._answer, self._clock.now()
        if answer.user is None:
            return
        if sent := answer.update.message if answer.update else None:
            stays = traces.stays_for(answer.user, answer.result) if sent.text or sent.caption else None
            await traces.hide(rows, answer.chat_id, sent.message_id, sent.date, at=now + stays if stays else None)
        tapped = answer.query.message if answer.query else None
        if tapped and tapped.date.timestamp():  # the message may be older than the consent, or than this version
            stays = traces.tapped_stays_for(answer.user, answer.result)
            await traces.hide(rows, answer.chat_id, tapped.message_id, tapped.date, at=now + stays if stays else None)
        for message_id in self.before:
            await traces.hide(rows, answer.chat_id, message_id, answer.now, at=None)
        for message_id, screen in self.screens:
            stays = traces.shown_for(answer.user, answer.result, private=screen.private)
            await note(rows, answer.chat_id, message_id, screen, answer.now, hide_at=now + stays if stays else None)


def first_name_of(update: Update) -> str:
    """Return the first name that Telegram shows for the user who acted."""
    return clean_name(update.effective_user.first_name) if update.effective_user else ""


def _edits(answer: Answer, screen: Screen) -> bool:
    """Return whether the answer edits the tapped message, so that repeating it does no harm."""
    query = answer.query
    return query is not None and query.message is not None and screen.place is Place.HERE and not answer.is_late


class _Words(Mapping[str, str]):
    """The words for a screen from rows, plus those that only the update contains, read when a screen asks for them.

    The latter are the name that Telegram shows, the length of a text, the content of the tapped button, and an Invite
    that somebody came with. We store nothing about a person before they agree; until then the Invite travels in the
    button that they agree with.
    """

    def __init__(self, words: Mapping[str, str], update: Update) -> None:
        self._words = words
        self._update = update
        self._message = update.effective_message if not update.callback_query else None

    def __getitem__(self, name: str) -> str:
        if name in self._words:
            return self._words[name]
        if name == "first_name":
            return first_name_of(self._update)
        if name == "secret":
            return self._secret
        if name == "tapped" and self._update.callback_query:
            return self._update.callback_query.data or ""
        if name == "length" and self._message and self._message.text:
            return str(len(fold_line(self._message.text)))
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        length = ["length"] if self._message and self._message.text else []
        own = ("first_name", "secret", *(["tapped"] if self._update.callback_query else length))
        return iter(dict.fromkeys((*self._words, *own)))

    def __len__(self) -> int:
        return len(list(iter(self)))

    @property
    def _secret(self) -> str:
        if query := self._update.callback_query:
            secret = read_secret((query.data or "").rpartition(":")[2])
        else:
            text = written(self._message)
            secret = read_secret(argument) if (argument := argument_of(text)) else read_typed(text)
        return secret.text if secret else ""
