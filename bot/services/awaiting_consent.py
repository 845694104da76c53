"""What to do about something that waits for a user's consent."""

from datetime import datetime

from bot.domain.model import POLICY_VERSION, User
from bot.domain.notices import NoticeKind
from bot.storage.store import Rows


async def await_consent(rows: Rows, user: User, now: datetime) -> None:
    """Something is waiting for this user's consent. If a new version of the policy is why, ask about it, once."""
    if user.consented_at and user.consent_asked != POLICY_VERSION:
        await rows.users.change(user, consent_asked=POLICY_VERSION)
        await rows.notices.add([(user.id, NoticeKind.CONSENT, user.id, now)], now)
