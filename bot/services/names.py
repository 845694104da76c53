"""What people are called."""

from bot.storage.store import Rows


async def name_of(rows: Rows, user_id: int) -> str:
    """What a user wants to be called, "" where nobody is left to be called anything."""
    try:
        return await rows.users.name(user_id) or ""
    except LookupError:
        return ""
