"""The bot's own offers: to move the hour, once; and to go one notch deeper, once per notch."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Final

from bot.domain.model import User
from bot.domain.times import TYPICAL_NEEDS, WORTH_MOVING, apart, typical_hour

COMFORTABLE: Final = 7
"""After this many answers at a depth the next one is offered."""
_LATELY: Final = 3
"""How many of the latest answers must agree with a habit."""

__all__ = ["COMFORTABLE", "TYPICAL_NEEDS", "deeper", "not_taken", "other_hour"]


def other_hour(user: User, answered: Sequence[datetime]) -> time | None:
    """Return the hour at which `user` usually answers, if it is far from the hour they set.

    `answered` holds the moments of the last TYPICAL_NEEDS answers on the user's current clock, newest first. After a
    move, or a change of the hour, the older ones show a habit that no longer exists.
    """
    typical = typical_hour(answered)
    if typical is None or user.ask_at is None or apart(typical, user.ask_at) <= WORTH_MOVING:
        return None
    is_habit = all(apart(typical, moment.time()) <= WORTH_MOVING for moment in answered[:_LATELY])
    return typical if is_habit else None


def deeper(user: User) -> int | None:
    """Return the depth to offer: one deeper than now, within the ceiling, and lighter than any that wasn't taken."""
    depth = user.depth + 1
    refused = not_taken(user)
    if user.comfortable < COMFORTABLE or depth > user.ceiling or (refused and depth >= refused):
        return None
    return depth


def not_taken(user: User) -> int | None:
    """Return the lowest depth beyond the current one that was offered but not taken; None if there isn't one."""
    offered = (user.offered_depth, user.refused_depth)
    return min((depth for depth in offered if depth and depth > user.depth), default=None)
