"""What a user says after opening a line: it may be meant for their partner, or for themselves."""

from bot.domain.sharing import AFTER_OPENING, Opening
from bot.services.visit import Visit
from bot.storage.store import Rows


async def opened_lately(visit: Visit) -> Opening | None:
    """Return the opened line, answered or not, that a text may be meant for if it isn't a reply to any message."""
    opening = await visit.rows.openings.latest(visit.user.id, visit.now - AFTER_OPENING)
    return opening if opening and await looks_answerable(visit.rows, opening) else None


async def looks_answerable(rows: Rows, opening: Opening) -> bool:
    """Return whether the receiver can think an answer possible: they haven't heard yet that sharing has ended."""
    if pair := await rows.pairs.active(opening.user_id):
        return pair.id == opening.pair_id
    return await rows.pairs.ended(opening.user_id) == opening.pair_id
