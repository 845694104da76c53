"""`ajar rehearse`: restores the newest backup into an empty place, to know that it can be done.

The bot does the same once a month, in a process of its own, since opening everything takes long.
"""

import asyncio
import shutil
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from bot.clock import Clock
from bot.config import Config
from bot.copies import put_back, sqlite_of, verify
from bot.crypto import KeyRing, WrongKey
from bot.i18n import BASE, say_in
from bot.logs import Safe, incident
from bot.opening import open_store
from bot.storage.backlog import REHEARSED
from bot.storage.backup import BackupError, make_folder
from bot.storage.endings import Journal
from bot.storage.restoring import empty_place, users_lacking
from bot.storage.retention import backups_in, made_at
from bot.storage.store import Store, is_passing

_EVERY: Final = timedelta(days=30)
_AGAIN: Final = timedelta(days=1)
"""How long we wait after a rehearsal that was broken off, and before the very first."""
_LOOK: Final = timedelta(hours=1)
_NOTED: Final = "rehearsed"
"""The name of the note that says when the last rehearsal began."""
_CERTAIN: Final = timedelta(days=1)
"""A user who joined this long before a backup must be in it: when they joined is stored as a date only."""

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """How a rehearsal went, and the sentences to print about it."""

    well: bool
    said: list[str]
    made: datetime | None = None
    """When the backup was made; None if there was none."""


async def rehearse(config: Config) -> Rehearsal:
    """Restore the newest backup into an empty place and compare it with the database. Raises BackupError, OSError."""
    database = sqlite_of(config).resolve()
    newest = next(iter(await asyncio.to_thread(backups_in, config.backups)), None)
    if newest is None:
        nothing = f"There is no backup in {config.backups}. Type: ajar backup"
        return Rehearsal(False, [nothing])
    made = made_at(newest)
    try:
        said = await _restore(config, database, newest, made)
    except (BackupError, WrongKey) as error:
        return Rehearsal(False, [str(error)], made)
    return Rehearsal(True, said, made)


async def _restore(config: Config, database: Path, newest: Path, made: datetime) -> list[str]:
    with empty_place(database) as place:
        there = _config_for(config, place)
        await put_back(there, newest)
        opened = await verify(there, None)
        restored = sqlite_of(there)
        lacking = await asyncio.to_thread(users_lacking, restored, database, made - _CERTAIN)
    if lacking:
        raise BackupError(f"{newest} lacks {lacking} of the database's users: it may be of another database.")
    return [f"Restored {newest} into an empty place, and removed that again.", *(_without(restored, opened))]


def _config_for(config: Config, place: Path) -> Config:
    """Return the settings of the empty place, with a copy of the journal of endings, which a restore changes."""
    journal = Journal(config.endings).file
    if journal.exists():
        make_folder(place / "endings")
        shutil.copyfile(journal, place / "endings" / journal.name)
    return config.model_copy(update={"data_dir": place, "database": None, "endings_dir": place / "endings"})


def _without(restored: Path, opened: list[str]) -> list[str]:
    """Replace the path of a place that is gone by words."""
    return [sentence.replace(str(restored), "What was restored", 1) for sentence in opened]


async def tell_operator(config: Config, rehearsal: Rehearsal) -> str | None:
    """Write to the operator's chat, if there is one, without any details. Return why that failed, or None."""
    if config.operator_chat is None or config.bot_token is None:
        return None
    import aiohttp

    from bot.tg.calls import Refusal, result_of, unreachable
    from bot.tg.registration import api_base
    from bot.tg.screens.operator import rehearsed

    text = rehearsed(say_in(await _language(config, config.operator_chat)), rehearsal.made, well=rehearsal.well)

    proxy = config.proxy.get_secret_value() if config.proxy else None
    message = {"chat_id": config.operator_chat, "text": text, "parse_mode": "HTML"}
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30), proxy=proxy) as session,
            session.post(f"{api_base(config)}/sendMessage", json=message, allow_redirects=False) as response,
        ):
            result_of(response.status, await response.read())
    except Refusal as refusal:
        return f"AJAR_OPERATOR_CHAT: Telegram refused the message: {refusal.sentence}"
    except (aiohttp.ClientError, TimeoutError) as error:
        return f"AJAR_OPERATOR_CHAT: Telegram can't be reached: {unreachable(error)}"
    return None


async def _language(config: Config, chat_id: int) -> str:
    """Return the operator's language; English if they don't use the bot themselves, or the database can't tell."""
    try:
        async with open_store(config, KeyRing.new()) as store, store.reading() as rows:  # it needs no key
            operator = await rows.users.find(chat_id)
    except Exception:  # noqa: BLE001  # whatever needs the database reports what is wrong with it
        return BASE
    return operator.language if operator else BASE


async def in_own_process() -> bool | None:
    """Run `ajar rehearse` in another process. Return whether all went well, or None if it was broken off."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "rehearse",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        code = await child.wait()
    except asyncio.CancelledError:
        child.terminate()
        await child.wait()
        raise
    return code == 0 if code in {0, 1} else None


class Rehearsals:
    """Rehearses once a month while the bot runs."""

    def __init__(
        self, store: Store, clock: Clock, backups: Path, work: Callable[[], Awaitable[bool | None]] = in_own_process
    ) -> None:
        """`backups` is the folder of the backups."""
        self._store = store
        self._clock = clock
        self._backups = backups
        self._work = work

    async def run(self) -> None:
        """Check every hour whether a rehearsal is due, until cancelled."""
        while True:
            try:
                await self.rehearse_if_due()
            except Exception as error:  # noqa: BLE001  # the bot works without a rehearsal; we try again
                if not is_passing(error):
                    incident(log, error)
            await asyncio.sleep(_LOOK.total_seconds())

    async def rehearse_if_due(self) -> None:
        now = self._clock.now()
        async with self._store.reading() as rows:
            noted = await rows.note(_NOTED)
        if noted and now < datetime.fromisoformat(noted) + _EVERY:
            return
        await self._note(now - _EVERY + _AGAIN)  # in case it is broken off
        if noted is None:
            return
        well = await self._work()
        if well is None:
            log.warning("rehearsal.broken_off")
            return
        await self._note(now)
        if well:
            async with self._store.writing() as rows:
                await rows.take_note(REHEARSED, now.isoformat(timespec="seconds"))
            log.info("rehearsal.well")
        elif not await asyncio.to_thread(backups_in, self._backups):
            log.warning(
                "rehearsal.no_backup", note=Safe("There is no backup that could be restored. Type: ajar backup")
            )
        else:
            log.error("rehearsal.failed", note=Safe("The newest backup can't be restored. Type: ajar rehearse"))

    async def _note(self, when: datetime) -> None:
        async with self._store.writing() as rows:
            await rows.take_note(_NOTED, when.isoformat(timespec="hours"))
