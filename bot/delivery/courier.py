"""The interface for delivering a Notice to its user, and the possible outcomes. `bot.tg.courier` implements it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import Enum, auto
from typing import Final, Protocol

from bot.domain.notices import Notice
from bot.storage.store import Rows

TRIES: Final = 5
"""How often in total we try a Notice that fails because of a defect of ours, before we give up."""
BEFORE_THE_LAST: Final = timedelta(seconds=8)
"""How long we wait before the last copy of a message that may have arrived. Connections usually work again by then."""


class Delivered(Enum):
    """The outcome for a Notice if nothing went wrong."""

    SAID = auto()
    NEEDLESS = auto()  # there is nothing left to say
    PUT_OFF = auto()  # its time hasn't come yet; its row says when


Afterwards = Callable[[Rows], Awaitable[None]]
"""Stores what is known about a message once it is sent."""


class NotDelivered(Exception):  # base of the outcomes below, which read better without "Error"
    """A message did not arrive, or may not have arrived."""


class Blocked(NotDelivered):
    """We can't write to the user: they have blocked the bot, deactivated their account, or never started it."""


class Refused(NotDelivered):
    """Telegram will never take this message."""


class Unreachable(NotDelivered):
    """Telegram doesn't find the chat, although the user hasn't left as far as we know. It may find it next time."""


class RateLimited(NotDelivered):
    """Too many messages; try again after a while."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(f"wait {wait.total_seconds():g} s")
        self.wait = wait


class NotSent(NotDelivered):
    """It certainly did not arrive; try again."""


class Unclear(NotDelivered):
    """The connection broke while it was on its way, so it may have arrived."""


class Strange(Unclear):
    """Telegram's answer makes no sense. The message most likely arrived, so we send it at most once more."""


class Courier(Protocol):
    """Delivers Notices."""

    async def deliver(self, notice: Notice) -> Delivered | Afterwards:
        """Read the facts again, make the text and send it. Raises NotDelivered.

        Returns what to store about the message if it was sent, together with settling its Notice.
        """
        ...
