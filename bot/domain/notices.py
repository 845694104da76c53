"""How each kind of Notice is treated, one row per kind, and when the bot is allowed to write to somebody first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from bot.domain.model import NoticeKind, User
from bot.domain.times import after_quiet

BLOCKED_RETRY: Final = timedelta(hours=1)
"""How often we retry what can't be sent to a user who has blocked the bot, besides when they come back."""
RECHECK: Final = timedelta(days=30)
"""How often we look at what waits during a pause without an end, or for consent, besides when that is over."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How a kind of Notice is treated."""

    can_wait: bool = True
    """Waits for the end of a pause and of quiet hours. A kind that can't wait checks on its own if it is too late."""
    lasting: bool = False
    """Waits for as long as its user can't be written to."""
    copies: int = 3
    """How often it is sent at most if it may have arrived: three copies are better than none."""
    needs_consent: bool = True
    """Waits until its user agrees to the present policy. What isn't a message decides that on its own."""
    wordless: bool = False
    """Isn't a message, so it doesn't matter if its user can be written to now or what else is on its way to them."""


_TWICE: Final = 2
"""For what can also be found under /today, /waiting or /recap."""
_OF_TWO: Final = Policy(lasting=True)
"""Nothing that was shared is lost because its receiver can't be written to, nobody is in a Pair or a Ritual without
having been told, and the partner doesn't learn about the delay."""
_OFFER: Final = Policy(can_wait=False)
"""It is only sent while its user is there."""

POLICIES: Final[Mapping[NoticeKind, Policy]] = MappingProxyType(
    {
        NoticeKind.ASK: Policy(can_wait=False, copies=_TWICE),  # it comes at the hour its user chose
        NoticeKind.REMINDER: Policy(copies=_TWICE),
        NoticeKind.OFFER_HOUR: _OFFER,
        NoticeKind.OFFER_DEEPER: _OFFER,
        NoticeKind.GUEST: Policy(can_wait=False, lasting=True),  # a step that its user has begun and is waiting for
        NoticeKind.PAIRED: Policy(can_wait=False, lasting=True),
        NoticeKind.RITUAL_ASKED: _OF_TWO,
        NoticeKind.RITUAL_AGREED: _OF_TWO,
        NoticeKind.RITUAL_MORNING: Policy(),
        # It creates other notices, each of which waits on its own.
        NoticeKind.RITUAL_MOMENT: Policy(can_wait=False, wordless=True),
        NoticeKind.REFLECTION: Policy(lasting=True, copies=_TWICE),
        NoticeKind.ANNOUNCEMENT: Policy(lasting=True, copies=_TWICE),
        NoticeKind.RESPONSE_DUE: Policy(can_wait=False, wordless=True),  # it creates the notice for the sharer
        NoticeKind.RESPONSE: _OF_TWO,
        NoticeKind.FOLLOW_UP_DUE: Policy(can_wait=False, wordless=True),
        NoticeKind.FOLLOW_UP: _OF_TWO,
        NoticeKind.QUESTION: Policy(copies=_TWICE),
        NoticeKind.SHARE_AGAIN: Policy(),
        NoticeKind.RECAP: Policy(can_wait=False, copies=_TWICE),  # of a week, so it isn't kept for the end of a pause
        NoticeKind.CONSENT: Policy(copies=_TWICE, needs_consent=False),
        NoticeKind.ANSWER: Policy(can_wait=False),
        # It says on its own what there is to say, and doesn't hold up what else is on its way to its user.
        NoticeKind.EXPORT: Policy(can_wait=False, wordless=True),
        NoticeKind.MENU: Policy(can_wait=False),  # not a message either; it changes with what its owner has just done
        NoticeKind.HIDE: Policy(can_wait=False, wordless=True),  # it removes messages
        NoticeKind.UNKNOWN: Policy(),
    }
)


def free_at(user: User, moment: datetime, *, asked_for: bool = False) -> datetime:
    """Return the first instant, `moment` or later, at which the bot is allowed to write to `user` first.

    It isn't allowed during a pause or quiet hours, or while it is blocked. What the user has `asked_for` only waits
    for the end of the quiet hours.
    """
    if user.paused_at and not asked_for:
        return max(user.next_ask_at or moment + RECHECK, moment)
    if user.blocked_at and not asked_for:
        return moment + BLOCKED_RETRY
    if user.quiet and user.zone:
        return after_quiet(moment, user.zone, user.quiet)
    return moment
