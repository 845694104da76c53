"""`ajar move`: an operator's command that takes everything to another database. It returns sentences to print."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Final

from bot.config import Config
from bot.crypto import KeyRing
from bot.opening import make_clock, open_store
from bot.operating import Progress, Unfit, opened, require_version, silently
from bot.storage.backup import make_folder
from bot.storage.copying import Differs, NotEmpty, TargetFailed, named
from bot.storage.copying import move as move_rows
from bot.storage.database_lock import DatabaseLock, exclusive_lock
from bot.storage.migrate import HEAD, known_version, migrate
from bot.storage.moved import take_back
from bot.storage.restoring import begin
from bot.storage.troubles import trouble_of

_NEEDS: Final = "It needs the same master key, and the same journal of endings, which is in {}."
_TO_USE_IT: Final = (
    "To use it again, without anything that happens from now on, stop the bot, name it in AJAR_DATABASE_URL and type: "
    "ajar move --back"
)


async def move(config: Config, target: Config, progress: Progress = silently) -> list[str]:
    """Copy every row into the database of `target`, and compare them. Then no bot starts on the old database.

    It can be interrupted at any point and run again. Raises Unfit, Moved, InUse, LockLost, WrongKey.
    """
    here, there = named(config.database_url), named(target.database_url)
    if here == there:
        raise Unfit("Both addresses name the same database. Name another one to move to.")
    async with _held(config) as source_lock, AsyncExitStack() as stack:
        async with opened(config) as (_, found):
            ring = found.ring
        with _of_target(target):
            target_lock = await stack.enter_async_context(_held(target))
            await _make_ready(target, ring)

        async def verify() -> None:
            await source_lock.verify()
            await target_lock.verify()

        try:
            rows = await move_rows(
                config.database_url, target.database_url,
                verify=verify, progress=progress, today=make_clock(config).now().date(),
            )  # fmt: skip
        except NotEmpty:
            raise Unfit(f"{there} has rows of its own, which stay as they are. Name an empty database.") from None
        except Differs as error:
            raise Unfit(f"The rows of {error} in {there} are not what was written. Don't use that database.") from None
        except TargetFailed as failed:
            with _of_target(target):
                raise failed.__cause__ or failed from None
    return [
        f"Moved {rows} rows from {here} to {there}, and compared every one of them.",
        f"Name {there} in AJAR_DATABASE_URL before you start the bot. {_NEEDS.format(config.endings.absolute())}",
        f"{here} is as it was, but no bot starts on it any more. {_TO_USE_IT}",
    ]


async def back(config: Config) -> list[str]:
    """Let bots use this database again after it was moved. Raises Unfit, InUse."""
    async with _held(config):
        await require_version(config)
        moved = await take_back(config.database_url)
    if moved is None:
        raise Unfit(f"{named(config.database_url)} was not moved, so there is nothing to take back.")
    here, (there, day) = named(config.database_url), moved
    return [
        f"Bots can use {here} again. It lacks what has happened in {there} since {day}; start no bot there as well."
    ]


@asynccontextmanager
async def _held(config: Config) -> AsyncIterator[DatabaseLock]:
    """Lock the database; with SQLite, also finish a restore that was interrupted. Raises InUse, Unfit."""
    file = config.sqlite_file.resolve() if config.sqlite_file else None
    if file:
        await asyncio.to_thread(make_folder, file.parent)
    async with exclusive_lock(config.database_url) as lock:
        if file:
            await asyncio.to_thread(begin, file)
        yield lock


async def _make_ready(target: Config, ring: KeyRing) -> None:
    """Create the target's tables if it has none, and check its master key. Raises Unfit, WrongKey."""
    version = await known_version(target.database_url)
    if version and version != HEAD:
        raise Unfit(f"{named(target.database_url)} is at version {version}, and not at {HEAD}. Name an empty database.")
    if not version:
        await migrate(target.database_url)
    async with open_store(target, ring) as store, store.reading() as rows:
        await rows.master_keys.is_recorded()  # raises if a version noted there is another key


@contextmanager
def _of_target(target: Config) -> Iterator[None]:
    """Turn a database error into a sentence that names the target. Raises Unfit."""
    try:
        yield
    except Exception as error:
        if (trouble := trouble_of(error, target.sqlite_file)) is None:
            raise
        raise Unfit(f"The database to move to: {trouble.sentence} Then type the command again.") from error
