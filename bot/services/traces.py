"""Leaving no trace in the chat: what is removed from it, and when.

In discreet mode a message that was acted on goes as soon as it is answered, and what shows words goes after a while.
`hide` is also what /hide and the button *Hide this* do, for everybody. The ids of messages are kept for 48 hours, since
Telegram lets a bot delete only what is younger.
"""

from datetime import datetime, timedelta
from typing import Final

from bot.domain.model import Ask, User
from bot.domain.results import Changed, Kept, Result, SetAside, Silence
from bot.domain.results.journal import JournalPage
from bot.domain.results.traces import Hidden
from bot.services.visit import Visit
from bot.storage.store import Rows

SHOWN_FOR: Final = timedelta(minutes=5)
"""How long words stay on the screen in discreet mode."""
A_MOMENT: Final = timedelta(seconds=3)
"""How long a text that was kept stays, so that its writer sees the answer first."""
RECEIPT_FOR: Final = timedelta(minutes=1)
"""How long we say that the chat was cleared."""


def stays_for(user: User, result: Result) -> timedelta | None:
    """Return how long a text that had this result stays in the chat; None if its use case decides that.

    One that waits for its writer to decide stays until they have.
    """
    decided = isinstance(result, Kept | Changed | SetAside | Hidden) or (
        isinstance(result, JournalPage) and result.changed
    )
    return SHOWN_FOR if user.discreet and not decided else None


def shown_for(user: User, result: Result, *, private: bool) -> timedelta | None:
    """Return how long an answer is shown; None if it stays, like what asks about a text that isn't kept yet."""
    if isinstance(result, Hidden):
        return RECEIPT_FOR
    return SHOWN_FOR if user.discreet and private and not isinstance(result, SetAside) else None


async def hide_decided(visit: Visit, message_id: int, ask: Ask | None = None) -> None:
    """In discreet mode, let a text go once its writer has decided about it, and the question that it answers."""
    if visit.user.discreet:
        for each in (message_id, *(await visit.rows.asks.messages(ask) if ask else ())):
            await hide(visit.rows, visit.user.id, each, visit.now, at=visit.now + A_MOMENT)


async def hide(rows: Rows, user_id: int, message_id: int, now: datetime, *, at: datetime | None) -> None:
    """Note a message of this chat, to be removed `at` a moment, or with None only by /hide."""
    await rows.traces.note(user_id, message_id, now, hide_at=at)
    if at:
        await rows.notices.hide(user_id, at, now)


class Traces:
    """The use cases of /hide and *Hide this*."""

    async def hide_this(self, visit: Visit, message_id: int | None) -> Result:
        """Remove the message that was tapped."""
        if message_id is not None:
            await hide(visit.rows, visit.user.id, message_id, visit.now, at=visit.now)
        return Silence()

    async def hide_all(self, visit: Visit, message_id: int) -> Result:
        """Remove all that is known of the chat, with the command itself."""
        await hide(visit.rows, visit.user.id, message_id, visit.now, at=visit.now)
        await visit.rows.traces.hide_all(visit.user.id, visit.now)
        return Hidden()
