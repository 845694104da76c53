"""What an operator does besides running: look after copies and the setup. Results are sentences to print."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import aiohttp

from bot import library
from bot.app import check_keys, open_keys, open_store
from bot.config import Settings
from bot.crypto import KeyRing, MissingKey, WrongKey
from bot.i18n import languages
from bot.keyfile import MasterKey
from bot.storage.backup import BackupError, back_up, restore, sole_user
from bot.storage.engine import has_users
from bot.storage.migrate import HEAD, NewerSchema, version_of
from bot.storage.store import Store

_SKEW: Final = 60
"""Seconds that the machine's clock may differ from Telegram's before it is worth a word."""
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


async def examine(settings: Settings) -> list[tuple[bool, str]]:
    """Look at everything that running needs: whether each is well, and a sentence about it."""
    return [await check(settings) for check in _CHECKS]


async def _check_content(_: Settings) -> tuple[bool, str]:
    problems = await asyncio.to_thread(library.check, library.content_folder())
    if problems:
        return False, f"content: {len(problems)} to mend; type: ajar content check"
    return True, f"content: in order, in {', '.join(languages())}"


async def _check_database(settings: Settings) -> tuple[bool, str]:
    try:
        version = await version_of(settings.database_url)
    except Exception as error:  # noqa: BLE001  # whatever a database answers, the operator gets a sentence
        return False, f"database: it does not answer ({type(error).__name__}); look at AJAR_DATABASE_URL"
    if version == HEAD:
        return True, f"database: at version {HEAD}"
    if version and version > HEAD:
        return False, f"database: {NewerSchema(version)}"
    return True, f"database: at version {version or 'none'}; `ajar run` brings it to {HEAD}"


async def _check_key(settings: Settings) -> tuple[bool, str]:
    try:
        if await version_of(settings.database_url) != HEAD:
            return True, "master key: looked at once the database is there"
        if settings.sqlite_file and not await has_users(settings.database_url):
            return True, "master key: not needed yet; it is made when the bot first starts"
        async with opened(settings) as (_, found):
            pass
    except WrongKey as wrong:
        return False, f"master key: {wrong}"
    except Exception as error:  # noqa: BLE001  # as above
        return False, f"master key: it does not open the database's keys ({type(error).__name__})"
    return True, f"master key: {found.file or 'AJAR_MASTER_KEY'}, version {found.ring.current}"


async def _check_telegram(settings: Settings) -> tuple[bool, str]:
    token = settings.bot_token.get_secret_value() if settings.bot_token else ""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
            session.get(f"{settings.api_url}/bot{token}/getMe") as response,
        ):
            answer = await response.json(content_type=None)
            date = response.headers.get("Date")
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return False, f"Telegram: {settings.api_url} does not answer; is this machine online?"
    if not answer.get("ok"):
        return False, "Telegram: AJAR_BOT_TOKEN is refused; copy it again from @BotFather (/mybots, API Token)"
    if skew := _skew(date):
        return False, f"Telegram: the token is good, but this machine's clock is off by {skew} s; set it"
    return True, f"Telegram: the token is @{answer['result']['username']}'s"


_CHECKS: Final[tuple[Callable[[Settings], Awaitable[tuple[bool, str]]], ...]] = (
    _check_content,
    _check_database,
    _check_key,
    _check_telegram,
)


def _skew(date: str | None) -> int:
    from email.utils import parsedate_to_datetime

    from bot.clock import SystemClock

    if date is None:
        return 0
    theirs = parsedate_to_datetime(date).astimezone(UTC)
    off = abs(int((SystemClock().now() - theirs).total_seconds()))
    return off if off > _SKEW else 0


def _sqlite(settings: Settings) -> Path:
    if settings.sqlite_file is None:
        raise BackupError(_ONLY_SQLITE)
    return settings.sqlite_file


def default_backup(settings: Settings, now: datetime) -> Path:
    """Where a copy goes when the operator names no place."""
    return settings.data_dir / "backups" / f"ajar-{now:%Y%m%d-%H%M%S}.db"
