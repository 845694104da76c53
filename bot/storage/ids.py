"""Ids made here rather than by the database: what is sealed is bound to its row's id before it is written."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

_START: Final = datetime(2026, 1, 1, tzinfo=UTC)
_CHANCE_BITS: Final = 21


def new_id(now: datetime) -> int:
    """An id that sorts by time: milliseconds since 2026, then 21 bits of chance. Fits in 63 bits until 2165."""
    milliseconds = max(0, (now - _START) // timedelta(milliseconds=1))
    return milliseconds << _CHANCE_BITS | secrets.randbits(_CHANCE_BITS)
