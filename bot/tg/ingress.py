"""Takes updates in: each is acknowledged to Telegram only once its effect is committed and its answer is sent.

An update that needs a data key which can't be opened is kept here and acknowledged too, see `bot.storage.held`.
Updates of one user are handled one after the other, those of different users concurrently.
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
from bot.logs import Safe, ThrottledLog, incident, safe_error
from bot.storage.held import HeldUpdate
from bot.storage.store import Store, is_busy, is_passing
from bot.tg.answers import Answers
from bot.tg.application import App

_TRIES: Final = 5
"""After this many failures an update is given up: its user is told, and it is acknowledged."""
_PASSING_WAIT: Final = 2.0
_KEY_WAIT: Final = 30.0
_GIVE_THE_RIGHT_KEY: Final = Safe(
    "The master key doesn't open this user's data key, which is damaged if others' open. What they send is kept, "
    "sealed, until it does. Type `ajar verify`, and restore a backup in which it is whole: what is kept goes along."
)
_BUSY: Final = 60.0
"""Seconds to wait for a user's rows that something else has locked before it counts as a failure. An update that waited
forever would eventually keep everybody else's from arriving, see `bot.tg.answers`."""
_WATCH: Final = 0.25
"""How often we check whether an answer is late, in seconds."""

log = structlog.stdlib.get_logger(__name__)
throttled = ThrottledLog(log)


class _Outcome(Enum):
    """What became of an update that can now be acknowledged."""

    DONE = auto()
    HELD = auto()


class Ingress:
    """Gets each raw update handled, whatever happens."""

    def __init__(self, application: App, store: Store, clock: Clock, answers: Answers) -> None:
        self._application = application
        self._store = store
        self._clock = clock
        self._answers = answers
        self._users = KeyedLocks()
        self._places: dict[int, int] = {}  # by line: the last update in it that is a location
        self._failed: dict[int, Exception] = {}
        application.add_error_handler(self._remember_failure)

    async def take(self, raw: dict[str, Any]) -> None:
        """Handle an update as it came from Telegram. Returns once the update can be acknowledged."""
        try:
            update = Update.de_json(raw, self._application.bot)
            line = _line_of(update)
        except Exception as error:  # noqa: BLE001  # whatever a malformed update breaks, the others continue
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
        """Retry the updates held for a data key. New updates from these users wait until they are done."""
        async with self._store.reading() as rows:
            waiting = await rows.held.users()
        tasks = [asyncio.create_task(self._take_held(user_id), name=f"held of {user_id}") for user_id in waiting]
        await asyncio.sleep(0)  # now each of them has its place in line
        return tasks

    async def watch_held(self, recalled: list[asyncio.Task[None]]) -> None:
        """Keep retrying held updates until cancelled."""
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
        """Handle this user's held updates, oldest first, until one still can't be handled."""
        try:
            async with self._users.locked(user_id):
                while True:
                    async with self._store.reading() as rows:
                        held = await rows.held.first_of(user_id)
                    if held is None or not await self._take_one_held(held):
                        return
        except Exception as error:  # noqa: BLE001  # the next check tries again
            throttled.error("update.waits", error=safe_error(error))

    async def _take_one_held(self, held: HeldUpdate) -> bool:
        """Handle one held update. Returns whether it was handled."""
        update = Update.de_json(held.raw, self._application.bot)
        if await self._handle(update, held.raw) is _Outcome.HELD:
            return False
        async with self._store.writing() as rows:
            await rows.held.remove(held.id)
        return True

    def are_late(self, update_id: int) -> bool:
        """Return whether only this update's answer is missing, for longer than others should have to wait."""
        return self._answers.are_late(update_id)

    def _is_last_place(self, line: int, update_id: int) -> bool:
        """Return whether this is the last location waiting in the line, so that it says where somebody is now.

        The earlier ones are skipped. Otherwise hundreds of locations from one person would fill the batch that Telegram
        hands out for everybody.
        """
        if (last := self._places.get(line, update_id)) == update_id:
            self._places.pop(line, None)
        return last == update_id

    def _watch(self, update_id: int, lock: HeldLock) -> "_Watch":
        """Let the user's next update proceed if the answer to this one is late."""
        return _Watch(lambda: self.are_late(update_id), lock.release)

    async def _handle(self, update: Update, raw: dict[str, Any]) -> "_Outcome":
        began = asyncio.get_running_loop().time()
        while True:
            try:
                await self._process(update)
            except KeyMismatch as error:
                if await self._hold(update, raw, error):
                    return _Outcome.HELD
            except Exception as error:  # noqa: BLE001  # any failure is sorted out below
                busy = is_busy(error) and asyncio.get_running_loop().time() - began > _BUSY
                if not await self._try_again(update, error, passing=is_passing(error) and not busy):
                    return _Outcome.DONE
            else:
                return _Outcome.DONE

    async def _hold(self, update: Update, raw: dict[str, Any], error: KeyMismatch) -> bool:
        """Store an update until its data key opens. If it can't be stored, it waits, and so do the ones after it."""
        throttled.critical("key.wrong", update=update.update_id, error=safe_error(error), note=_GIVE_THE_RIGHT_KEY)
        try:
            async with self._store.writing() as rows:
                held = HeldUpdate(update.update_id, _line_of(update), raw)
                if await rows.held.add(held, self._clock.now()):
                    return True
        except Exception as second:  # noqa: BLE001  # the database is unreachable, or the right key is missing
            throttled.error("update.waits", update=update.update_id, error=safe_error(second))
        await asyncio.sleep(_KEY_WAIT)
        return False

    async def _process(self, update: Update) -> None:
        await self._application.process_update(update)
        if failure := self._failed.pop(update.update_id, None):
            raise failure

    async def _try_again(self, update: Update, error: Exception, *, passing: bool) -> bool:
        """Wait, then return whether to try again."""
        if passing:
            throttled.error("update.waits", update=update.update_id, error=safe_error(error))
            await asyncio.sleep(_PASSING_WAIT)
            return True
        try:
            tries = await self._count(update)
        except Exception as second:  # noqa: BLE001  # the database is unreachable: nothing was decided
            throttled.error("update.waits", update=update.update_id, error=safe_error(second))
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
        """Tell the user, so that what they wrote isn't lost silently."""
        try:
            await self._answers.reply(update, Sorry(code))
        except Exception as error:  # noqa: BLE001  # answering may fail for the same reason
            incident(log, error, update=update.update_id)

    async def _remember_failure(self, update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Keep what a handler raised: python-telegram-bot swallows it, and the update would count as done."""
        if isinstance(update, Update) and isinstance(context.error, Exception):
            self._failed[update.update_id] = context.error


class Gate:
    """Makes updates wait until the bot is built and knows its own name, which commands may contain."""

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
        """Like `Ingress.are_late`; an update that waits at the gate has had no effect yet."""
        return self._ingress is not None and self._ingress.are_late(update_id)

    async def take(self, raw: dict[str, Any]) -> None:
        await self._opened.wait()
        if self._ingress:
            await self._ingress.take(raw)


class _Watch:
    """Checks a condition at intervals, and acts once when it holds."""

    def __init__(self, is_met: Callable[[], bool], act: Callable[[], None]) -> None:
        self._is_met = is_met
        self._act = act
        self._loop = asyncio.get_running_loop()
        self._next = self._loop.call_later(_WATCH, self._look)

    def _look(self) -> None:
        if self._is_met():
            self._act()
        else:
            self._next = self._loop.call_later(_WATCH, self._look)

    def cancel(self) -> None:
        self._next.cancel()


def _line_of(update: Update) -> int:
    """Return the id of the line that this update waits in: its user's id, or that of the group or channel.

    Raises ValueError if an id is invalid: python-telegram-bot accepts any value there.
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
