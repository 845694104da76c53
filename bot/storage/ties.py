"""Ties: facts of a row without which its sealed words and choices don't open.

Somebody who can write to the database but has no key could change a row's receiver or state, or move words from one row
to another. A tied value opens only for the receiver and the purpose that its owner sealed it for.
"""

from datetime import datetime
from typing import Final

from bot.storage.columns import milliseconds

Ties = tuple[int, ...]

NOBODY: Final = 0
"""The receiver of Reflections whose receiver is gone for good."""


def of_words(pair_id: int, receiver_id: int) -> Ties:
    """Return the ties of a Reflection's words."""
    return pair_id, receiver_id


def of_consent(pair_id: int, receiver_id: int, due_at: datetime | None) -> Ties:
    """Return the ties of the sharer's yes to a Reflection."""
    return pair_id, receiver_id, milliseconds(due_at) if due_at else 0


def of_response(reflection_id: int, sharer_id: int, *, sent: bool) -> Ties:
    return reflection_id, sharer_id, int(sent)


def of_follow_up(response_id: int, receiver_id: int, *, sent: bool) -> Ties:
    return response_id, receiver_id, int(sent)


def of_landing(reflection_id: int) -> Ties:
    return (reflection_id,)


def of_put_in(ritual_id: int, moment: datetime, reflection_id: int) -> Ties:
    return ritual_id, milliseconds(moment), reflection_id


def of_pair(a: int, b: int) -> Ties:
    return a, b
