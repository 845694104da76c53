"""The names that users go by."""

from collections.abc import Mapping

from bot.domain.results import Result
from bot.services.visit import Visit
from bot.storage.store import Rows


async def name_of(rows: Rows, user_id: int) -> str:
    """Return the name that a user has chosen, or "" if the user no longer exists or has none."""
    try:
        return await rows.users.name(user_id) or ""
    except LookupError:
        return ""


async def read_partner_name(visit: Visit, _: Result) -> Mapping[str, str]:
    """Read the partner's name, for screens that show it."""
    pair = await visit.rows.pairs.active(visit.user.id)
    return {"name": await name_of(visit.rows, pair.partner_of(visit.user.id))} if pair else {}


async def read_own_name(visit: Visit, _: Result) -> Mapping[str, str]:
    """Read the user's own name, for screens that show it."""
    name = await visit.rows.users.name(visit.user.id)
    return {"name": name} if name else {}
