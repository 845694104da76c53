"""Answers once when one act arrives as many messages: an album, a row of stickers, eight forwarded texts."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.domain.results import (
    ClockWanted,
    ConsentWanted,
    ForwardedText,
    HourWanted,
    Invited,
    Result,
    Silence,
    TextOnly,
)
from bot.tg.updates import Message, Update

_SHORTLY: Final = timedelta(seconds=10)
"""For how long we don't repeat the same sentence to further messages that the user didn't type."""
_REMEMBERED: Final = 10_000
_NOTHING_TAKEN: Final = (TextOnly, ForwardedText, ConsentWanted, Invited, HourWanted, ClockWanted)
"""Answers to messages that had no effect. Any other answer we give every time."""


@dataclass(frozen=True, slots=True)
class _Said:
    result: Result
    at: datetime
    album: str | None


class Repeats:
    """Remembers the last answer to each user, in memory only, so a sentence may be repeated after a restart."""

    def __init__(self) -> None:
        self._last: OrderedDict[int, _Said] = OrderedDict()

    def is_one(self, user_id: int, update: Update, result: Result, now: datetime) -> bool:
        """Return whether this answer only repeats the one that was already given to the same act."""
        message, last = update.message, self._last.get(user_id)
        if message is None or last is None or not isinstance(result, _NOTHING_TAKEN) or not _comes_in_rows(message):
            return False
        if message.media_group_id and message.media_group_id == last.album:
            return True
        return result == last.result and abs(now - last.at) < _SHORTLY

    def said(self, user_id: int, update: Update, result: Result, now: datetime) -> None:
        if isinstance(result, Silence):
            return
        message = update.message
        if message is None or not _comes_in_rows(message):
            self._last.pop(user_id, None)  # the next message is a new act
            return
        self._last[user_id] = _Said(result, now, message.media_group_id)
        self._last.move_to_end(user_id)
        while len(self._last) > _REMEMBERED:
            self._last.popitem(last=False)


def _comes_in_rows(message: Message) -> bool:
    """Return whether the message may be one of many from one act. A typed text or command is an act of its own."""
    return message.text is None or message.is_forwarded
