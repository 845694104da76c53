"""What an operator does besides running: see how much there is. Results are sentences to print."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.app import check_keys, open_keys, open_store
from bot.config import Settings
from bot.crypto import KeyRing, MissingKey
from bot.keyfile import MasterKey
from bot.storage.engine import has_users
from bot.storage.migrate import HEAD, known_version
from bot.storage.store import Store


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
    """Raises Unfit, NewerSchema."""
    if await known_version(settings.database_url) != HEAD:
        raise Unfit("The database isn't at this version yet. Type: ajar migrate")


async def stats(settings: Settings) -> list[str]:
    """How much there is, in sums over everybody: never of one person."""
    await fit(settings)
    # Sums need no key; one that opens nothing will do.
    async with open_store(settings, KeyRing.new()) as store, store.reading() as rows:
        return [f"{name}: {number}" for name, number in (await rows.sums()).items()]
