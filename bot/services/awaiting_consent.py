"""Asking about consent when something is waiting for it."""

from datetime import datetime

from bot.domain.model import POLICY_VERSION, User
from bot.domain.notices import NoticeKind
from bot.storage.store import Rows


async def await_consent(rows: Rows, user: User, now: datetime) -> None:
    """If a new version of the policy holds up something of this user's, ask them about it, once per version."""
    if user.consented_at and user.consent_asked != POLICY_VERSION:
        await rows.users.change(user, consent_asked=POLICY_VERSION)
        await rows.notices.plan_once([(user.id, NoticeKind.CONSENT, user.id, now)], now)
