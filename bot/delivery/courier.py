"""The interface for delivering a Notice to its user, and the possible outcomes. `bot.tg.courier` implements it."""

from datetime import timedelta
from enum import Enum, auto
from typing import Final, Protocol

from bot.domain.notices import Notice

TRIES: Final = 5
"""How often in total we try a Notice that fails through a defect of ours, before we give up."""
BEFORE_THE_LAST: Final = timedelta(seconds=8)
"""How long we wait before the last copy of a message that may have arrived. Connections usually work again by then."""


class Delivered(Enum):
    """The outcome for a Notice if nothing went wrong."""

    SAID = auto()
    NEEDLESS = auto()  # there was nothing left to say
    PUT_OFF = auto()  # its time has not come yet: its row says when


class NotDelivered(Exception):  # base of the outcomes below, which are named as they are said
    """A message did not arrive, or may not have arrived."""


class Blocked(NotDelivered):
    """We can't write to the user: blocked, deactivated, never started."""


class Refused(NotDelivered):
    """Telegram will never take this message."""


class Unreachable(NotDelivered):
    """Telegram doesn't find the chat, although the user isn't known to have left: it may find it next time."""


class RateLimited(NotDelivered):
    """Too many messages; try again after a while."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(f"wait {wait.total_seconds():g} s")
        self.wait = wait


class NotSent(NotDelivered):
    """It certainly did not arrive; try again."""


class Unclear(NotDelivered):
    """It was on its way when the connection broke: it may have arrived."""


class Strange(Unclear):
    """Telegram's answer can't be understood. The message most likely arrived, so it is sent once more at most."""


class Courier(Protocol):
    """Delivers Notices."""

    async def deliver(self, notice: Notice) -> Delivered:
        """Read the facts again, make the text and send it. Raises NotDelivered."""
        ...
