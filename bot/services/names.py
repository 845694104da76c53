"""The names that users go by."""

from bot.storage.store import Rows


async def name_of(rows: Rows, user_id: int) -> str:
    """Return the name that a user has chosen, or "" if the user no longer exists or has none."""
    try:
        return await rows.users.name(user_id) or ""
    except LookupError:
        return ""
