"""Takes updates in: each is acknowledged to Telegram only when its effect is committed and its answer sent.

One that needs a data key which doesn't open is kept here, and acknowledged too, see `bot.storage.held`.
Updates of one user are taken one after the other, those of different users side by side.
"""

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import Any, Final

import structlog
from telegram import Update
from telegram.ext import ContextTypes

from bot.clock import Clock
from bot.crypto import KeyMismatch
from bot.delivery.keyed_locks import HeldLock, KeyedLocks
from bot.domain.results import Sorry
from bot.logs import Safe, Seldom, incident, safe_error
from bot.storage.held import HeldUpdate
from bot.storage.store import Store, is_busy, is_passing
from bot.tg.answers import Answers
from bot.tg.application import App

_TRIES: Final = 5
"""An update that fails so often is given up: its user is told, and it is acknowledged."""
_PASSING_WAIT: Final = 2.0
_KEY_WAIT: Final = 30.0
_GIVE_THE_RIGHT_KEY: Final = Safe(
    "The master key doesn't open this user's data key, which is damaged if others' open. What they send is kept, "
    "sealed, until it does. Type `ajar verify`, and restore a backup in which it is whole: what is kept goes along."
)
_BUSY: Final = 60.0
"""Seconds for which what somebody else has locked of one user is waited for before it counts as a failure. An update
that waited for ever would in the end keep everybody else's from coming, see `bot.tg.answers`."""
_WATCH: Final = 0.25
"""Seconds from one look to the next whether an answer is late."""

log = structlog.stdlib.get_logger(__name__)
seldom = Seldom(log)


class _Outcome(Enum):
    """What became of an update that may be acknowledged."""

    DONE = auto()
    HELD = auto()


class Ingress:
    """Has one raw update handled, whatever happens."""

    def __init__(self, application: App, store: Store, clock: Clock, answers: Answers) -> None:
        self._application = application
        self._store = store
        self._clock = clock
        self._answers = answers
        self._users = KeyedLocks()
        self._places: dict[int, int] = {}  # by line: the update with the last location that stands in it
        self._failed: dict[int, Exception] = {}
        application.add_error_handler(self._remember_failure)

    async def take(self, raw: dict[str, Any]) -> None:
        """Handle an update as it came from Telegram. It returns when the update may be acknowledged."""
        try:
            update = Update.de_json(raw, self._application.bot)
            line = _line_of(update)
        except Exception as error:  # noqa: BLE001  # whatever a malformed update breaks, the others go on
            incident(log, error, update=_update_id(raw))
            return
        if _is_location(update):
            self._places[line] = update.update_id
        async with self._users.locked(line) as lock:
            if _is_location(update) and not self._is_last_place(line, update.update_id):
                return
            watch = self._watch(update.update_id, lock)
            try:
                await self._handle(update, raw)
            finally:
                watch.cancel()

    async def recall(self) -> list[asyncio.Task[None]]:
        """Take once more what is held for a data key: what comes of these users from now on comes after it."""
        async with self._store.reading() as rows:
            waiting = await rows.held.users()
        tasks = [asyncio.create_task(self._take_held(user_id), name=f"held of {user_id}") for user_id in waiting]
        await asyncio.sleep(0)  # each of them stands in line then
        return tasks

    async def watch_held(self, recalled: list[asyncio.Task[None]]) -> None:
        """Go on so until cancelled."""
        try:
            while True:
                if recalled:
                    await asyncio.wait(recalled)
                await asyncio.sleep(_KEY_WAIT)
                recalled = await self.recall()
        finally:
            for task in recalled:
                task.cancel()

    async def _take_held(self, user_id: int) -> None:
        """Take what is held of this user, the oldest first, until one has to be held on."""
        try:
            async with self._users.locked(user_id):
                while True:
                    async with self._store.reading() as rows:
                        held = await rows.held.first_of(user_id)
                    if held is None or not await self._take_one_held(held):
                        return
        except Exception as error:  # noqa: BLE001  # the next look tries again
            seldom.error("update.waits", error=safe_error(error))

    async def _take_one_held(self, held: HeldUpdate) -> bool:
        """Whether it was handled."""
        update = Update.de_json(held.raw, self._application.bot)
        if await self._handle(update, held.raw) is _Outcome.HELD:
            return False
        async with self._store.writing() as rows:
            await rows.held.remove(held.id)
        return True

    def are_late(self, update_id: int) -> bool:
        """Whether of this update only the answer is missing, and has been for longer than others should wait for it."""
        return self._answers.are_late(update_id)

    def _is_last_place(self, line: int, update_id: int) -> bool:
        """Whether no other location stands behind this one, which is where somebody is; the ones before are done with.

        Hundreds of locations from one person would else fill what Telegram hands out at once, for everybody.
        """
        if (last := self._places.get(line, update_id)) == update_id:
            self._places.pop(line, None)
        return last == update_id

    def _watch(self, update_id: int, lock: HeldLock) -> "_Watch":
        """Let the user's next update have its effect when the answer to this one is late."""
        return _Watch(lambda: self.are_late(update_id), lock.release)

    async def _handle(self, update: Update, raw: dict[str, Any]) -> "_Outcome":
        began = asyncio.get_running_loop().time()
        while True:
            try:
                await self._process(update)
            except KeyMismatch as error:
                if await self._hold(update, raw, error):
                    return _Outcome.HELD
            except Exception as error:  # noqa: BLE001  # any failure leaves the update unfinished until it is told apart here
                busy = is_busy(error) and asyncio.get_running_loop().time() - began > _BUSY
                if not await self._try_again(update, error, passing=is_passing(error) and not busy):
                    return _Outcome.DONE
            else:
                return _Outcome.DONE

    async def _hold(self, update: Update, raw: dict[str, Any], error: KeyMismatch) -> bool:
        """Keep an update until a data key opens. Where it can't be kept, it waits, and what comes after it too."""
        seldom.critical("key.wrong", update=update.update_id, error=safe_error(error), note=_GIVE_THE_RIGHT_KEY)
        try:
            async with self._store.writing() as rows:
                held = HeldUpdate(update.update_id, _line_of(update), raw)
                if await rows.held.add(held, self._clock.now()):
                    return True
        except Exception as second:  # noqa: BLE001  # the database is away, or the right key isn't there at all
            seldom.error("update.waits", update=update.update_id, error=safe_error(second))
        await asyncio.sleep(_KEY_WAIT)
        return False

    async def _process(self, update: Update) -> None:
        await self._application.process_update(update)
        if failure := self._failed.pop(update.update_id, None):
            raise failure

    async def _try_again(self, update: Update, error: Exception, *, passing: bool) -> bool:
        """Whether to try once more, after a while."""
        if passing:
            seldom.error("update.waits", update=update.update_id, error=safe_error(error))
            await asyncio.sleep(_PASSING_WAIT)
            return True
        try:
            tries = await self._count(update)
        except Exception as second:  # noqa: BLE001  # the database is away: then nothing was decided
            seldom.error("update.waits", update=update.update_id, error=safe_error(second))
            await asyncio.sleep(_PASSING_WAIT)
            return True
        if tries < _TRIES:
            log.warning("update.failed", update=update.update_id, tries=tries, error=safe_error(error))
            await asyncio.sleep(0.1 * 2**tries)
            return True
        code = incident(log, error, update=update.update_id)
        await self._give_up(update, code)
        return False

    async def _count(self, update: Update) -> int:
        async with self._store.writing() as rows:
            return await rows.updates.failed(update.update_id, self._clock.now())

    async def _give_up(self, update: Update, code: str) -> None:
        """Tell the user, so that what they wrote isn't lost without a word."""
        try:
            await self._answers.say(update, Sorry(code))
        except Exception as error:  # noqa: BLE001  # the poison may sit in the answering too
            incident(log, error, update=update.update_id)

    async def _remember_failure(self, update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
        """python-telegram-bot swallows what a handler raises; the update would count as done."""
        if isinstance(update, Update) and isinstance(context.error, Exception):
            self._failed[update.update_id] = context.error


class Gate:
    """Updates wait here until the bot is built and knows its own name, which commands may carry."""

    def __init__(self) -> None:
        self._ingress: Ingress | None = None
        self._opened = asyncio.Event()

    @property
    def is_open(self) -> bool:
        return self._opened.is_set()

    def open(self, ingress: Ingress) -> None:
        self._ingress = ingress
        self._opened.set()

    def are_late(self, update_id: int) -> bool:
        """As `Ingress.are_late`; what waits at the gate has had no effect yet."""
        return self._ingress is not None and self._ingress.are_late(update_id)

    async def take(self, raw: dict[str, Any]) -> None:
        await self._opened.wait()
        if self._ingress:
            await self._ingress.take(raw)


class _Watch:
    """Looks every now and then whether something is so, and then does something once."""

    def __init__(self, so: Callable[[], bool], then: Callable[[], None]) -> None:
        self._so = so
        self._then = then
        self._loop = asyncio.get_running_loop()
        self._next = self._loop.call_later(_WATCH, self._look)

    def _look(self) -> None:
        if self._so():
            self._then()
        else:
            self._next = self._loop.call_later(_WATCH, self._look)

    def cancel(self) -> None:
        self._next.cancel()


def _line_of(update: Update) -> int:
    """The number of the line that this update stands in: its user's; in a group or channel, that one's.

    Raises ValueError where an id is none that can be told apart: python-telegram-bot takes whatever stands there.
    """
    chat, person = update.effective_chat, update.effective_user
    if not all(isinstance(of.id, int) for of in (chat, person) if of) or not 0 <= update.update_id < 1 << 63:
        raise ValueError("an id that is none")
    number = chat.id if chat else 0
    if person and (chat is None or chat.type == chat.PRIVATE):
        number = person.id
    return number


def _is_location(update: Update) -> bool:
    return update.message is not None and update.message.location is not None


def _update_id(raw: object) -> int | None:
    found = raw.get("update_id") if isinstance(raw, dict) else None
    return found if isinstance(found, int) else None


Take = Callable[[dict[str, Any]], Awaitable[None]]
