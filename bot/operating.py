"""What an operator's commands share, and `ajar stats`, which returns sentences to print."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bot.config import Config
from bot.crypto import KeyRing, MissingKey
from bot.keyfile import MasterKey
from bot.opening import check_keys, open_keys, open_store
from bot.storage.engine import has_users
from bot.storage.migrate import HEAD, known_version
from bot.storage.store import Store

Progress = Callable[[int, int], None]
"""Called with how many rows or data keys are done so far, and how many there are."""


def silently(_done: int, _of: int) -> None:
    """Show no progress."""


class Unfit(Exception):
    """A command can't work with this database; the message says why and what to do."""


@asynccontextmanager
async def opened(config: Config) -> AsyncIterator[tuple[Store, MasterKey]]:
    """Open the database with the master key that sealed it. Raises Unfit, WrongKey."""
    await require_version(config)
    try:
        found = await open_keys(config, may_make=False)
    except MissingKey:
        if config.sqlite_file is None or await has_users(config.database_url):
            raise
        raise Unfit("There is no master key yet; it is made when the bot first starts.") from None
    async with open_store(config, found.ring) as store:
        await check_keys(store, found)
        yield store, found


async def require_version(config: Config) -> None:
    """Make sure that the database is at this version. Raises Unfit, NewerSchema."""
    if await known_version(config.database_url) != HEAD:
        raise Unfit("The database isn't at this version yet. Type: ajar migrate")


async def stats(config: Config) -> list[str]:
    """Return sums over all users, and nothing about a single person."""
    await require_version(config)
    # Sums need no key, so we pass one that opens nothing.
    async with open_store(config, KeyRing.new()) as store, store.reading() as rows:
        return [f"{name}: {number}" for name, number in (await rows.sums()).items()]
