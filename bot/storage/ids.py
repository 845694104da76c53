"""Ids of rows. We make them ourselves, because a value is sealed for its row's id before the row is written."""

import secrets
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import Final

_START: Final = datetime(2026, 1, 1, tzinfo=UTC)
_CHANCE_BITS: Final = 21
_REMEMBERED: Final = 32
"""For how many milliseconds we remember the ids drawn. All ids of one planning run share one `now`, and among two
thousand random ones duplicates would soon appear."""

_drawn: OrderedDict[int, set[int]] = OrderedDict()


def new_id(now: datetime) -> int:
    """Return an id that sorts by time, for rows whose ids no user gets to see (those have a `timeless_id`).

    It consists of the milliseconds since 2026 and 21 random bits, and fits into 63 bits until 2165. A process never
    returns the same id twice. If two processes draw the same one in the same millisecond, the later one fails on the
    primary key and tries again.
    """
    milliseconds = max(0, (now - _START) // timedelta(milliseconds=1))
    drawn = _drawn.setdefault(milliseconds, set())
    while len(_drawn) > _REMEMBERED:
        _drawn.popitem(last=False)
    while (chance := secrets.randbits(_CHANCE_BITS)) in drawn:
        pass
    drawn.add(chance)
    return milliseconds << _CHANCE_BITS | chance


_risen = 0


def rising_id(now: datetime) -> int:
    """Return a `new_id` that is higher than any this function has returned, even if the clock was set back."""
    global _risen  # noqa: PLW0603  # what a process has drawn
    _risen = max(new_id(now), _risen + 1)
    return _risen


def timeless_id() -> int:
    """Return an id that doesn't reveal when it was made, for anything a button may carry: 62 random bits."""
    return secrets.randbits(62) | 1 << 62
