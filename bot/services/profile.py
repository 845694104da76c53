"""What Telegram tells us about a user: their language, and whether we may write to them."""

from datetime import datetime
from typing import Final

from bot.domain.model import User
from bot.domain.results import Result, Silence
from bot.services.planning import replan
from bot.services.visit import Visit
from bot.storage.store import Rows

_LONGEST_TAG: Final = 35
"""The most characters that a language tag needs (RFC 5646, 4.4.1)."""


class Profile:
    """Use cases around the facts that Telegram reports."""

    async def follow_language(self, visit: Visit, language: str, tag: str | None = None) -> User:
        """Follow the language of the user's Telegram, unless the user has chosen one here; store its tag."""
        facts = {} if visit.user.language_chosen else {"language": language}
        facts |= {"telegram_language": tag[:_LONGEST_TAG]} if tag else {}
        changed = {name: fact for name, fact in facts.items() if getattr(visit.user, name) != fact}
        return await visit.rows.users.change(visit.user, **changed) if changed else visit.user

    async def blocked(self, rows: Rows, user: User | None, now: datetime) -> Result:
        """Note that Telegram no longer lets us write to this user. Nothing is deleted."""
        if user and not user.blocked_at:
            await replan(Visit(rows, user, now), blocked_at=now)
        return Silence()

    async def unblocked(self, rows: Rows, user: User | None, now: datetime) -> Result:
        """Note that Telegram lets us write again. We go on with the next date, without what was missed."""
        if user and user.blocked_at:
            await replan(Visit(rows, user, now), blocked_at=None)
            await rows.notices.resume(user.id, now)  # such as what their partner has shared with them
        return Silence()
