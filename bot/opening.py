"""Opens what `ajar run` and every operator's command need: the clock, the master key, the database, its journal.

Nothing about Telegram is imported here, which keeps the commands quick.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import structlog

from bot.clock import Clock, FileClock, SystemClock
from bot.config import Config, WrongSettings
from bot.crypto import KeyRing, OtherKey
from bot.keyfile import MasterKey, kept_file, key_file, master_key
from bot.logs import Safe
from bot.services.endings import Endings
from bot.storage.endings import RESTORED, Journal, JournalAway
from bot.storage.engine import has_users
from bot.storage.store import ENDINGS_NOTED, Store

_GAP_MEANS: Final = (
    "It has all endings from now on. If an older backup is restored, users who erased everything since may be there "
    "again, and nothing unopened goes out before its sharer, whom the bot asks, has agreed again."
)
_RESTORED_MEANS: Final = (
    "This database is a restored one. Users who erased everything since may be there again, and nothing unopened goes "
    "out before its sharer, whom the bot asks, has agreed again."
)

log = structlog.stdlib.get_logger(__name__)


def make_clock(config: Config) -> Clock:
    return FileClock(config.clock_file) if config.clock_file else SystemClock()


async def open_keys(config: Config, *, may_make: bool = True) -> MasterKey:
    """Find the master key, or make it at the first start on SQLite. Raises WrongKey."""
    used = await has_users(config.database_url)
    return await asyncio.to_thread(find_keys, config, used=used, may_make=may_make)


def find_keys(config: Config, *, used: bool, may_make: bool) -> MasterKey:
    """Like `open_keys`, but without reading the database; `used` says whether it has any users. Raises WrongKey.

    With PostgreSQL no key is made automatically, because several machines would each make a different one.
    """
    given = config.master_key
    return master_key(
        text=given.get_secret_value() if given else None,
        file=config.master_key_file,
        data_dir=config.data_dir,
        sqlite_file=config.sqlite_file,
        may_make=may_make and not used and config.sqlite_file is not None,
        holds_lines=used,
    )


def key_path(config: Config) -> Path | None:
    """Return the master key's file, or None if the key is given by AJAR_MASTER_KEY. Raises WrongKey."""
    given = config.master_key
    return key_file(text=given.get_secret_value() if given else None, file=config.master_key_file)


async def check_keys(store: Store, found: MasterKey) -> None:
    """Make sure that this master key is the one that sealed the database. Raises OtherKey."""
    try:
        async with store.reading() as rows:
            await rows.master_keys.check()
    except OtherKey as wrong:
        kept = kept_file(found.file) if found.file else None
        if kept and kept.exists():
            raise OtherKey(f"{wrong} The key ring from before its last change is in {kept}.") from None
        raise


@asynccontextmanager
async def open_store(config: Config, ring: KeyRing) -> AsyncIterator[Store]:
    store = Store.at(config.database_url, ring, Journal(config.endings))
    try:
        yield store
    finally:
        await store.close()


async def note_journal(config: Config, ring: KeyRing, *, first: bool = True) -> None:
    """Record in the database how far the journal of endings goes, so that a backup shows which endings it lacks.

    If the database itself lacks some, it was restored by other means than `ajar restore`, and they are applied now.
    Only the `first` process may do either, before any process serves: afterwards the journal may be ahead because of a
    change that isn't committed yet. Raises WrongSettings.
    """
    journal, now = Journal(config.endings), make_clock(config).now()
    async with AsyncExitStack() as stack:
        store = Store.at(config.database_url, ring)
        stack.push_async_callback(store.close)
        async with store.reading() as rows:
            known, used = await rows.note(ENDINGS_NOTED), await rows.users.any()
        try:
            found = await asyncio.to_thread(journal.since, known, ring.versions)
            await asyncio.to_thread(journal.begin, now.date(), known)
        except JournalAway as error:
            raise WrongSettings([f"AJAR_ENDINGS_DIR: {error}"]) from None
        if found.gap and used:
            note = Safe(_RESTORED_MEANS if found.gap in RESTORED else _GAP_MEANS)
            log.warning("endings.gap", file=journal.file, reason=Safe(found.gap), note=note)
        if not first:
            return
        if found.endings:
            done = await Endings().apply(store, found.endings, now)
            log.warning("endings.caught_up", lacking=len(found.endings), ended=done)
        if found.gap in RESTORED:
            await Endings().require_new_yes(store, now)
        if found.gap or found.endings:
            async with store.writing() as rows:
                await rows.append_endings(journal)
