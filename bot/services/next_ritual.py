"""When a pair's Ritual is next."""

from datetime import datetime

from bot.storage.store import Rows


async def next_ritual_at(rows: Rows, pair_id: int, now: datetime) -> datetime | None:
    """Return when the Ritual of this Pair is next, if one is agreed."""
    ritual = await rows.rituals.of_pair(pair_id, now)
    return ritual.next_at if ritual and ritual.agreed and ritual.next_at > now else None
