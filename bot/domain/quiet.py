"""When the bot may write first."""

from datetime import datetime, timedelta
from typing import Final

from bot.domain.model import NoticeKind, User
from bot.domain.times import after_quiet

UNHELD: Final = frozenset(
    {
        NoticeKind.ASK,
        NoticeKind.OFFER_HOUR,
        NoticeKind.OFFER_DEEPER,
        NoticeKind.GUEST,
        NoticeKind.PAIRED,
        NoticeKind.RITUAL_MOMENT,
        NoticeKind.ANSWER,
        NoticeKind.MENU,
    }
)
"""Notices that are not held by `free_at`. An Ask comes at the hour its user chose, an offer only while its user is
there, and both look for themselves whether it is too late for them. The steps of pairing answer what their user has
begun and waits for, and so does an answer. The Ritual's moment is no message: it sets some on their way, each of which
is held by itself. Nor is a menu of commands one, which changes with what its owner has just done."""
LOOK_AGAIN: Final = timedelta(days=30)
"""What is held in a pause without an end is looked at so often, besides when the pause ends."""


def free_at(user: User, now: datetime) -> datetime:
    """The first instant from `now` on at which the bot may write to `user` first: `now` itself where it may.

    It may not in a pause, nor in the user's quiet hours.
    """
    if user.paused_at:
        return max(user.next_ask_at or now + LOOK_AGAIN, now)
    if user.quiet and user.zone:
        return after_quiet(now, user.zone, user.quiet)
    return now
