"""Ids are made here and not by the database, because a sealed value is bound to its row's id before it is written."""

import secrets
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import Final

_START: Final = datetime(2026, 1, 1, tzinfo=UTC)
_CHANCE_BITS: Final = 21
_REMEMBERED: Final = 32
"""How many milliseconds' ids we remember. All ids of one planning run share one `now`, and among two thousand random
ones duplicates would soon appear."""

_drawn: OrderedDict[int, set[int]] = OrderedDict()


def new_id(now: datetime) -> int:
    """Return an id that sorts by time, for rows that no user gets to see; an id that is sent out is a `timeless_id`.

    Milliseconds since 2026, then 21 random bits. Fits in 63 bits until 2165.

    This process never returns an id twice. If two processes draw the same one at the same time, the later one fails on
    the primary key and tries again.
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
    """Return an id that doesn't tell when it was made, for anything a button may carry: 62 random bits."""
    return secrets.randbits(62) | 1 << 62
