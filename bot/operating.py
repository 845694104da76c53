"""What an operator does besides running: look after copies and the setup. Results are sentences to print."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from bot.app import check_keys, open_keys, open_store
from bot.config import Settings
from bot.crypto import KeyRing, MissingKey
from bot.keyfile import MasterKey
from bot.storage.backup import BackupError, back_up, restore, sole_user
from bot.storage.engine import has_users
from bot.storage.migrate import HEAD, version_of
from bot.storage.store import Store

_ONLY_SQLITE: Final = (
    "AJAR_DATABASE_URL names PostgreSQL: copy it with pg_dump and put it back with pg_restore, which know it best."
)


class Unfit(Exception):
    """The database isn't at this version, or there is no key, so there is nothing to look at yet."""


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[tuple[Store, MasterKey]]:
    """The database with the master key that sealed it. Raises Unfit, WrongKey."""
    await fit(settings)
    try:
        found = await open_keys(settings, may_make=False)
    except MissingKey:
        if settings.sqlite_file is None or await has_users(settings.database_url):
            raise
        raise Unfit("There is no master key yet; it is made when the bot first starts.") from None
    async with open_store(settings, found.ring) as store:
        await check_keys(store, found)
        yield store, found


async def fit(settings: Settings) -> None:
    """Raises Unfit."""
    if await version_of(settings.database_url) != HEAD:
        raise Unfit("The database isn't at this version yet. Type: ajar migrate")


async def stats(settings: Settings) -> list[str]:
    """How much there is, in sums over everybody: never of one person."""
    await fit(settings)
    # Sums need no key; one that opens nothing will do.
    async with open_store(settings, KeyRing.new()) as store, store.reading() as rows:
        return [f"{name}: {number}" for name, number in (await rows.sums()).items()]


async def backup(settings: Settings, target: Path) -> list[str]:
    """Copy the SQLite database while it is in use. Raises BackupError."""
    database = _sqlite(settings)
    await asyncio.to_thread(back_up, database, target)
    return [f"Copied {database} to {target}.", "Keep the master key apart from it; without the key it opens nothing."]


async def put_back(settings: Settings, copy: Path) -> list[str]:
    """Put a copy in the database's place. Raises BackupError, InUse."""
    database = _sqlite(settings)
    database.parent.mkdir(parents=True, exist_ok=True)
    with sole_user(database):
        before = await asyncio.to_thread(restore, copy, database)
    kept = [f"What was there is now {before}."] if before else []
    return [f"{database} is as it was when {copy} was made.", *kept]


def _sqlite(settings: Settings) -> Path:
    if settings.sqlite_file is None:
        raise BackupError(_ONLY_SQLITE)
    return settings.sqlite_file


def default_backup(settings: Settings, now: datetime) -> Path:
    """Where a copy goes when the operator names no place."""
    return settings.data_dir / "backups" / f"ajar-{now:%Y%m%d-%H%M%S}.db"
