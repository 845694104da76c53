"""Remembers who has been shown an Invite and hasn't agreed to anything yet."""

from collections import OrderedDict
from datetime import datetime
from typing import Final

from bot.domain.pairing import INVITE_VALID_FOR

_REMEMBERED: Final = 10_000


class Guests:
    """Remembers which Invite somebody was shown last, so that a text of theirs can be answered with it again.

    It is in memory only, since nothing about a person is stored before they agree. After a restart, or in another
    process, they get the general greeting, and their link still works.
    """

    def __init__(self) -> None:
        self._shown: OrderedDict[int, tuple[int, datetime]] = OrderedDict()

    def remember(self, user_id: int, invite_id: int, now: datetime) -> None:
        self._shown[user_id] = invite_id, now
        self._shown.move_to_end(user_id)
        while len(self._shown) > _REMEMBERED:
            self._shown.popitem(last=False)

    def invite_of(self, user_id: int, now: datetime) -> int | None:
        """Return the id of the Invite, which may have been used or taken back since."""
        invite_id, at = self._shown.get(user_id, (None, now))
        return invite_id if now - at < INVITE_VALID_FOR else None

    def forget(self, user_id: int) -> None:
        self._shown.pop(user_id, None)
