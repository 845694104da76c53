"""Ids made here rather than by the database: what is sealed is bound to its row's id before it is written."""

import secrets
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import Final

_START: Final = datetime(2026, 1, 1, tzinfo=UTC)
_CHANCE_BITS: Final = 21
_REMEMBERED: Final = 32
"""Milliseconds whose ids are remembered: what one look plans has one `now`, and two thousand would soon meet."""

_drawn: OrderedDict[int, set[int]] = OrderedDict()


def new_id(now: datetime) -> int:
    """An id that sorts by time, for rows of which nobody is told: what leaves the house has a `timeless_id`.

    Milliseconds since 2026, then 21 bits of chance. Fits in 63 bits until 2165.

    This process gives none twice; of two processes that draw the same one at the same time, the later fails on the
    primary key, and tries again.
    """
    milliseconds = max(0, (now - _START) // timedelta(milliseconds=1))
    drawn = _drawn.setdefault(milliseconds, set())
    while len(_drawn) > _REMEMBERED:
        _drawn.popitem(last=False)
    while (chance := secrets.randbits(_CHANCE_BITS)) in drawn:
        pass
    drawn.add(chance)
    return milliseconds << _CHANCE_BITS | chance


def timeless_id() -> int:
    """An id that doesn't tell when it was made, for whatever a button may carry: 62 bits of chance."""
    return secrets.randbits(62) | 1 << 62
