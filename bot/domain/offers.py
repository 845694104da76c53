"""What the bot offers by itself: to move the hour, once; and one notch deeper, once a notch."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Final

from bot.domain.model import User
from bot.domain.times import TYPICAL_NEEDS, WORTH_MOVING, apart, typical_hour

COMFORTABLE: Final = 7
"""Answers at a depth, after which the next one is offered."""
_LATELY: Final = 3
"""Of the answers that make a habit, so many of the latest must agree with it."""

__all__ = ["COMFORTABLE", "TYPICAL_NEEDS", "deeper", "not_taken", "other_hour"]


def other_hour(user: User, answered: Sequence[datetime]) -> time | None:
    """The hour at which `user` usually answers, where that is far from the set one.

    `answered` are the moments of the last TYPICAL_NEEDS answers on the clock that is the user's now, newest first.
    After a move, or with another hour set, the older ones tell of a habit that is none any more.
    """
    typical = typical_hour(answered)
    if typical is None or user.ask_at is None or apart(typical, user.ask_at) <= WORTH_MOVING:
        return None
    is_habit = all(apart(typical, moment.time()) <= WORTH_MOVING for moment in answered[:_LATELY])
    return typical if is_habit else None


def deeper(user: User) -> int | None:
    """The depth to offer: one below the present one, within the ceiling, and above all that was offered in vain."""
    depth = user.depth + 1
    refused = not_taken(user)
    if user.comfortable < COMFORTABLE or depth > user.ceiling or (refused and depth >= refused):
        return None
    return depth


def not_taken(user: User) -> int | None:
    """The least depth below the present one that was offered and isn't taken; None where there is no such."""
    offered = (user.offered_depth, user.refused_depth)
    return min((depth for depth in offered if depth and depth > user.depth), default=None)
