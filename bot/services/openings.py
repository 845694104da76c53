"""Texts sent after opening a Reflection, which may be meant for the partner or for their writer alone."""

from bot.domain.sharing import AFTER_OPENING, Opening
from bot.services.visit import Visit
from bot.storage.store import Rows


async def opened_lately(visit: Visit) -> Opening | None:
    """Return the recent Opening, answered or not, that a text may be about if it doesn't reply to any message."""
    opening = await visit.rows.openings.latest(visit.user.id, visit.now - AFTER_OPENING)
    return opening if opening and await looks_answerable(visit.rows, opening) else None


async def looks_answerable(rows: Rows, opening: Opening) -> bool:
    """Return whether the receiver can still expect to answer: the Pair exists, or they haven't heard of its end."""
    if pair := await rows.pairs.active(opening.user_id):
        return pair.id == opening.pair_id
    return await rows.pairs.ended(opening.user_id) == opening.pair_id
