"""What people are called."""

from bot.storage.store import Rows


async def name_of(rows: Rows, user_id: int) -> str:
    """Return what a user wants to be called, or "" if the user no longer exists or has no name."""
    try:
        return await rows.users.name(user_id) or ""
    except LookupError:
        return ""
