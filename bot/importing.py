"""`ajar import`: an operator's command. It returns sentences to print."""

from collections.abc import Sequence

from bot.config import Config
from bot.opening import make_clock
from bot.operating import opened
from bot.services.arrivals import put


async def take(config: Config, files: Sequence[bytes]) -> list[str]:
    """Store the sealed files of one export for their owner to import. Raises WrongDocument, Unfit, Moved, WrongKey."""
    async with opened(config) as (store, _):
        async with store.reading() as rows:
            await rows.refuse_moved()
        until = await put(store, files, make_clock(config).now())
    return [
        f"Stored, sealed, until {until:%Y-%m-%d}.",
        "Its owner is asked about it when they start this bot with the same Telegram account.",
        "The files are not encrypted: delete them, and don't read them.",
    ]
