"""Removing messages from the chat: which ones, and when.

In discreet mode we remove a message as soon as it is handled, and the bot's messages that show words after a while.
/hide and the button *Hide this* do so for everybody. What asks about something undecided isn't removed: it becomes a
neutral line, with a button that asks again. Only /hide removes it too, and leaves nothing but the way by /today. We
keep the ids of messages for 48 hours, since Telegram doesn't let a bot delete older ones; those that ask about
something for as long as that waits.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from bot.domain.model import Ask, User
from bot.domain.results import Changed, Kept, Result, Silence
from bot.domain.results.journal import JournalPage
from bot.domain.results.receiving import Opened
from bot.domain.results.traces import Hidden
from bot.domain.undecided import Waits
from bot.services.visit import Visit
from bot.storage.store import Rows

SHOWN_FOR: Final = timedelta(minutes=5)
"""How long messages with words stay in the chat in discreet mode."""
A_MOMENT: Final = timedelta(seconds=3)
"""How long a kept text stays, so that its writer sees the answer first."""
FILES_FOR: Final = timedelta(hours=1)
"""How long the files of an export stay in discreet mode: until there can be new ones."""
RECEIPT_FOR: Final = timedelta(minutes=1)
"""How long the message that the chat was cleared stays."""


def stays_for(user: User, result: Result) -> timedelta | None:
    """Return how long a text with this result stays in the chat; None if its use case decides that."""
    decided = isinstance(result, Kept | Changed | Hidden) or (isinstance(result, JournalPage) and result.changed)
    return SHOWN_FOR if user.discreet and not decided else None


def shown_for(user: User, result: Result, *, private: bool) -> timedelta | None:
    """Return how long an answer is shown; None if it stays."""
    if isinstance(result, Hidden):
        return RECEIPT_FOR
    return SHOWN_FOR if user.discreet and private else None


def tapped_stays_for(user: User, result: Result) -> timedelta | None:
    """Return how long a message stays whose button was tapped; None if it isn't removed.

    An announcement isn't needed any more once its line is open, unless it has others.
    """
    return SHOWN_FOR if user.discreet and isinstance(result, Opened) and not result.beside else None


async def hide_decided(visit: Visit, message_id: int, ask: Ask | None = None) -> None:
    """In discreet mode, remove a text that its writer has decided about, and the question that it answers."""
    if visit.user.discreet:
        for each in (message_id, *(await visit.rows.asks.messages(ask) if ask else ())):
            await hide(visit.rows, visit.user.id, each, visit.now, at=visit.now + A_MOMENT)


async def hide(
    rows: Rows, user_id: int, message_id: int, now: datetime, *, at: datetime | None, shown: bool = False
) -> None:
    """Note a message of this chat. It is removed at the moment `at`, or only by /hide if that is None.

    `shown` as in `note` of `bot.storage.traces`.
    """
    await rows.traces.note(user_id, message_id, now, hide_at=at, shown=shown)
    if at:
        await rows.notices.hide(user_id, at, now)


async def stop_asking(visit: Visit, kinds: Collection[Waits]) -> None:
    """Ask no more about things of these kinds: their user has ended what they were for. Discreet mode removes these."""
    hide_at = visit.now if visit.user.discreet else None
    if await visit.rows.traces.stop_asking(visit.user.id, kinds, hide_at=hide_at) and hide_at:
        await visit.rows.notices.hide(visit.user.id, hide_at, visit.now)


class Traces:
    """The use cases of /hide and *Hide this*."""

    async def hide_this(self, visit: Visit, message_id: int | None) -> Result:
        """Remove the message that was tapped."""
        if message_id is not None:
            await hide(visit.rows, visit.user.id, message_id, visit.now, at=visit.now)
        return Silence()

    async def hide_all(self, visit: Visit, message_id: int) -> Result:
        """Remove all messages of the chat that we know of, including the command itself."""
        await hide(visit.rows, visit.user.id, message_id, visit.now, at=visit.now)
        await visit.rows.traces.hide_all(visit.user.id, visit.now)
        return Hidden()
