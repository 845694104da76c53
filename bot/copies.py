"""`ajar backup`, `restore` and `verify`: an operator's commands for copies. They return sentences to print."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from bot.config import Config
from bot.crypto import KeyRing, MissingKey
from bot.opening import find_keys, make_clock, open_keys
from bot.operating import opened as opened_database
from bot.services.endings import Endings
from bot.storage.backup import BackupError, back_up, make_folder, sole_user
from bot.storage.endings import Journal, JournalAway
from bot.storage.engine import has_users
from bot.storage.migrate import migrate
from bot.storage.moved import Moved, refuse_moved_file
from bot.storage.restoring import (
    arriving,
    begin,
    bring_up_copy,
    carry_unhandled,
    finish,
    looked_at,
    needs_key,
    put_in_place,
    take_in,
    url_of,
)
from bot.storage.retention import backups_in, name_of, remove_older, remove_unfinished
from bot.storage.seals import Opened
from bot.storage.store import ENDINGS_NOTED, Store

_ONLY_SQLITE: Final = "AJAR_DATABASE_URL names PostgreSQL: back it up with pg_dump and restore it with pg_restore."


def default_backup(config: Config, now: datetime) -> Path:
    """Return where a backup goes if the operator names no file: one that isn't there yet."""
    while (place := config.backups / name_of(now)).exists():
        now += timedelta(seconds=1)
    return place


async def backup(
    config: Config, target: Path, *, check: bool = False, keep: int | None = None, keep_days: int | None = None
) -> list[str]:
    """Encrypt the SQLite database into `target`. The database may be in use.

    With `check`, `keep` or `keep_days`, then open everything in the backup. If that succeeds, remove the automatically
    named backups in its folder except the newest `keep`, and those older than `keep_days`. Raises BackupError,
    WrongKey; Moved if that would remove backups of a database that was moved.
    """
    database = sqlite_of(config)
    if not database.is_file():
        raise BackupError(f"There is no database at {database}.")
    if keep is not None or keep_days is not None:  # what a timer makes would push out the last ones before the move
        await asyncio.to_thread(_refuse_moved, database)
    ring = (await open_keys(config, may_make=False)).ring
    await asyncio.to_thread(remove_unfinished, target.parent)
    await asyncio.to_thread(back_up, database, target, ring)
    said = [f"Encrypted {database} into {target}, with version {ring.current} of the master key."]
    if not check and keep is None and keep_days is None:
        said += [f"To see that everything in it opens, type: ajar verify {target}"]
    else:
        said += await verify(config, target)
    if keep is not None or keep_days is not None:
        since = make_clock(config).now() - timedelta(days=keep_days) if keep_days is not None else None
        removed = await asyncio.to_thread(remove_older, target.parent, keep, since)
        left = await asyncio.to_thread(backups_in, target.parent)
        said += [f"Removed {_count(len(removed), 'older backup')}; {_count(len(left), 'is', 'are')} left."]
    return [*said, "Keep the master key apart from it; without the key it opens nothing."]


def _refuse_moved(database: Path) -> None:
    try:
        refuse_moved_file(database)
    except Moved as moved:
        raise Moved(f"Nothing was backed up or removed; if a timer asked for it, turn that off. {moved}") from None


def _ring_in_use(config: Config) -> KeyRing:
    """Return the key ring without reading the database, which may be broken or missing. Raises WrongKey."""
    return find_keys(config, used=True, may_make=False).ring


async def _ring_for(config: Config, copy: Path) -> KeyRing | None:
    """Return the key ring if the copy is encrypted. Raises WrongKey."""
    if not await asyncio.to_thread(needs_key, copy):
        return None
    return await asyncio.to_thread(_ring_in_use, config)


async def put_back(config: Config, copy: Path) -> list[str]:
    """Replace the database with a copy, after opening everything in it. Raises BackupError, InUse, WrongKey."""
    database = sqlite_of(config).resolve()
    await asyncio.to_thread(make_folder, database.parent)
    keys = await _ring_for(config, copy)
    with sole_user(database), _arrived(copy, database, keys) as place:
        opened = await _look_through(config, place, copy)
        if opened.damaged:
            raise BackupError("\n".join([*_what_is_damaged(copy, opened), "Nothing was changed. Take an earlier one."]))
        await _tie(config, url_of(place))
        now = make_clock(config).now()
        ended = await _end_again(config, url_of(place), now)
        await asyncio.to_thread(carry_unhandled, database, place)
        before = await asyncio.to_thread(put_in_place, place, database, now)
    kept = [f"The old database is now {before}. It is removed after 30 days."] if before else []
    return [f"{database} is as it was when {copy} was made. {_what_opened(opened)}", *ended, *kept]


@contextmanager
def _arrived(copy: Path, database: Path, keys: KeyRing | None) -> Iterator[Path]:
    finish(database)
    with arriving(copy, database, keys) as place:
        yield place


async def _end_again(config: Config, url: str, now: datetime) -> list[str]:
    """Apply to a copy all endings since it was made; if some are unknown, hold back everything unopened."""
    journal = Journal(config.endings)
    ring = await _ring(config, url)
    try:
        async with _store(url, ring) as store:
            return await _end_again_in(store, journal, ring, now)
    except JournalAway as error:
        raise BackupError(f"AJAR_ENDINGS_DIR: {error} Nothing was changed.") from None


async def _end_again_in(store: Store, journal: Journal, ring: KeyRing, now: datetime) -> list[str]:
    """Do the work of `_end_again` in the open copy. Raises JournalAway."""
    async with store.reading() as rows:
        known = await rows.note(ENDINGS_NOTED)
    found = await asyncio.to_thread(journal.since, known, ring.versions)
    await asyncio.to_thread(journal.begin, now.date(), known)
    services = Endings()
    done = await services.apply(store, found.endings, now)
    said = [f"Ended again: {_count(done, 'thing')} that ended after this copy was made."]
    if found.gap:
        asked_again = await services.require_new_yes(store, now)
        said = [
            f"WARNING: {journal.file} doesn't have everything that ended after this copy was made: {found.gap}.",
            *(said if done else []),
            "Users who erased everything since then may be there again, and those who unpaired may be paired again.",
            f"{_count(asked_again, 'unopened line')} won't go out unless the sharer, whom the bot asks, agrees again.",
        ]
    async with store.writing() as rows:
        await rows.append_endings(journal)
    return said


async def bring_up(config: Config) -> str | None:
    """Migrate the database to this version. Return the version before, or None if there was nothing to do.

    Raises InUse, BackupError, NewerSchema.
    """
    if config.sqlite_file is None:
        return await migrate(config.database_url)
    database = config.sqlite_file.resolve()
    await asyncio.to_thread(make_folder, database.parent)
    with sole_user(database):
        await asyncio.to_thread(begin, database)
        return await migrate(config.database_url)


async def verify(config: Config, copy: Path | None) -> list[str]:
    """Open every data key and every text in a copy, or in the database itself. Raises BackupError, WrongKey."""
    if copy is None and config.sqlite_file is None:
        async with opened_database(config) as (store, _), store.reading() as rows:
            opened = await rows.seals.open_all()
        name = "The database"
    else:
        copy = copy or sqlite_of(config)
        name = str(copy)
        keys = await _ring_for(config, copy)
        with _place_to_look(config) as place:
            await asyncio.to_thread(take_in, copy, place, keys)
            opened = await _look_through(config, place, copy)
    if opened.damaged:
        raise BackupError("\n".join(_what_is_damaged(name, opened)))
    return [f"{name} is whole. {_what_opened(opened)}"]


async def _look_through(config: Config, place: Path, copy: Path) -> Opened:
    """Migrate a copy to this version and open everything in it. Raises BackupError, WrongKey."""
    url = url_of(place)
    ring = await _ring(config, url)
    async with _store(url, ring) as store, store.reading() as rows:
        await rows.master_keys.check()
    await bring_up_copy(place, copy)
    return await _open_all(url, ring)


@contextmanager
def _place_to_look(config: Config) -> Iterator[Path]:
    """Yield a place to check a copy: in the database's folder, which has room, or else in a temporary folder."""
    folder = config.sqlite_file.resolve().parent if config.sqlite_file else config.data_dir
    with contextlib.ExitStack() as stack:
        if not folder.is_dir():
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ajar-")))
        yield stack.enter_context(looked_at(folder))


async def _ring(config: Config, url: str) -> KeyRing:
    """Return the key ring for the copy at `url`; the database itself may be broken. Raises WrongKey."""
    try:
        return (await open_keys(config.model_copy(update={"database": SecretStr(url)}), may_make=False)).ring
    except MissingKey:
        if await has_users(url):
            raise
        return KeyRing.new()  # there is nothing to open


async def _tie(config: Config, url: str) -> None:
    """Tie what an earlier version of Ajar left untied in the copy, before endings are applied to it."""
    async with _store(url, await _ring(config, url)) as store:
        await store.tie_all()


async def _open_all(url: str, ring: KeyRing) -> Opened:
    async with _store(url, ring) as store, store.reading() as rows:
        return await rows.seals.open_all()


@asynccontextmanager
async def _store(url: str, ring: KeyRing) -> AsyncIterator[Store]:
    store = Store.at(url, ring)
    try:
        yield store
    finally:
        await store.close()


def _what_opened(opened: Opened) -> str:
    if not opened.keys:
        return "It has no users."
    return f"Everything in it opens: the keys of {_count(opened.keys, 'user')} and {_count(opened.texts, 'text')}."


def _what_is_damaged(name: object, opened: Opened) -> list[str]:
    more = opened.damaged - len(opened.places)
    return [
        f"{name} is damaged: {_count(opened.damaged, 'key or text', 'keys or texts')} can't be opened.",
        *opened.places,
        *([f"and {more} more"] if more else []),
    ]


def _count(number: int, one: str, several: str = "") -> str:
    return f"{number} {one if number == 1 else several or one + 's'}"


def sqlite_of(config: Config) -> Path:
    """Return the file of the SQLite database. Raises BackupError with PostgreSQL."""
    if config.sqlite_file is None:
        raise BackupError(_ONLY_SQLITE)
    return config.sqlite_file
