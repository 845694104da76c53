"""Who carries a Notice to its user, and what can come of it. `bot.tg.courier` is the real one."""

from datetime import timedelta
from enum import Enum, auto
from typing import Final, Protocol

from bot.domain.model import Notice

TRIES: Final = 5
"""So often in all a Notice is tried that fails by itself, before it is given up."""
BEFORE_THE_LAST: Final = timedelta(seconds=8)
"""Before what may have arrived is sent for the last time: what breaks connections is most often over by then."""


class Delivered(Enum):
    """What came of a Notice, where nothing went wrong."""

    SAID = auto()
    NEEDLESS = auto()  # there was nothing to say any more
    PUT_OFF = auto()  # its time has not come yet: its row says when


class NotDelivered(Exception):  # base of the outcomes below, which read as they are said
    """A message did not, or may not, arrive."""


class Blocked(NotDelivered):
    """The user can't be written to: blocked, deactivated, never started."""


class Refused(NotDelivered):
    """It will never be taken as it is."""


class Unreachable(NotDelivered):
    """Telegram doesn't find the chat, though nobody has said that they left: it may find it the next time."""


class RateLimited(NotDelivered):
    """Too many; try again after a while."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(f"wait {wait.total_seconds():g} s")
        self.wait = wait


class NotSent(NotDelivered):
    """It surely did not arrive; try again."""


class Unclear(NotDelivered):
    """It was on its way when the connection broke: it may have arrived."""


class Strange(Unclear):
    """The answer to it can't be understood. It was most likely taken, so it comes once more at the most."""


class Courier(Protocol):
    """Carries Notices."""

    async def deliver(self, notice: Notice) -> Delivered:
        """Read the facts again, make the text and send it. Raises a NotDelivered."""
        ...
