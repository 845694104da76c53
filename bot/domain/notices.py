"""How each kind of Notice is treated, a row a kind; and when the bot may write to somebody first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from bot.domain.model import NoticeKind, User
from bot.domain.times import after_quiet

LOOK_AGAIN: Final = timedelta(hours=1)
"""How often what can't be said to somebody who has blocked the bot is tried again, besides when they come back."""
_LOOK_INTO_A_PAUSE: Final = timedelta(days=30)
"""How often what waits in a pause without an end is looked at, besides when the pause ends."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How a kind of Notice is treated."""

    can_wait: bool = True
    """Waits for the end of a pause and of quiet hours. What can't wait checks for itself whether it is too late."""
    lasting: bool = False
    """Waits for somebody who can't be written to, as long as that is so."""
    copies: int = 3
    """How often it is sent in all where it may have arrived: rather thrice than not at all."""
    wordless: bool = False
    """It is no message: whether its user can be written to now, and what else is on its way to them, doesn't count."""


_TWICE: Final = 2
"""For what waits to be found besides, under /today or /waiting."""
_OF_TWO: Final = Policy(lasting=True)
"""Nothing that was shared is lost because somebody can't be written to, nobody is in a Pair or a Ritual without having
been told, and the other one doesn't hear of it."""
_OFFER: Final = Policy(can_wait=False)
"""It comes only while its user is there."""

POLICIES: Final[Mapping[NoticeKind, Policy]] = MappingProxyType(
    {
        NoticeKind.ASK: Policy(can_wait=False, copies=_TWICE),  # it comes at the hour that its user chose
        NoticeKind.REMINDER: Policy(copies=_TWICE),
        NoticeKind.OFFER_HOUR: _OFFER,
        NoticeKind.OFFER_DEEPER: _OFFER,
        NoticeKind.GUEST: Policy(can_wait=False, lasting=True),  # a step that its user has begun and waits for
        NoticeKind.PAIRED: Policy(can_wait=False, lasting=True),
        NoticeKind.RITUAL_ASKED: _OF_TWO,
        NoticeKind.RITUAL_AGREED: _OF_TWO,
        NoticeKind.RITUAL_MORNING: Policy(),
        NoticeKind.RITUAL_MOMENT: Policy(
            can_wait=False, wordless=True
        ),  # others follow it, and each of them waits by itself
        NoticeKind.REFLECTION: Policy(lasting=True, copies=_TWICE),
        NoticeKind.ANNOUNCEMENT: Policy(lasting=True, copies=_TWICE),
        NoticeKind.RESPONSE: _OF_TWO,
        NoticeKind.SHARE_AGAIN: Policy(),
        NoticeKind.ANSWER: Policy(can_wait=False),
        NoticeKind.MENU: Policy(can_wait=False),  # no message either; it changes with what its owner has just done
        NoticeKind.UNKNOWN: Policy(),
    }
)


def free_at(user: User, moment: datetime, *, asked_for: bool = False) -> datetime:
    """The first instant from `moment` on at which the bot may write to `user` first; `moment` itself where it may.

    It may not in a pause, in quiet hours, or where it is blocked. What the user has `asked_for` waits for the end of
    the quiet hours alone.
    """
    if user.paused_at and not asked_for:
        return max(user.next_ask_at or moment + _LOOK_INTO_A_PAUSE, moment)
    if user.blocked_at and not asked_for:
        return moment + LOOK_AGAIN
    if user.quiet and user.zone:
        return after_quiet(moment, user.zone, user.quiet)
    return moment
