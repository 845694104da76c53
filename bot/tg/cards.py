"""Notes about sent messages: what each is a card of, and when to remove it from the chat.

From the cards we know what a reply is about, and which buttons to remove.
"""

from datetime import datetime

from bot.domain.undecided import Waits
from bot.services.traces import hide
from bot.storage.store import Rows
from bot.tg.screens.screen import AskCard, InviteCard, LineCard, OpenedCard, RecapCard, Screen, UndecidedCard


async def note(
    rows: Rows, user_id: int, message_id: int, screen: Screen, now: datetime, *, hide_at: datetime | None = None
) -> None:
    """Record that this message now shows that screen. A card of something that is already gone isn't recorded."""
    await hide(rows, user_id, message_id, now, at=hide_at, shown=True)
    if isinstance(screen.card, UndecidedCard):
        await rows.traces.asks(user_id, message_id, screen.card.about)
    match screen.card:
        case AskCard(ask_id, prompt_id):
            await rows.asks.showing(user_id, message_id, ask_id, prompt_id)
        case LineCard(line_id):
            await rows.lines.show_on(user_id, line_id, message_id)
        case UndecidedCard(about) if about.waits is Waits.DRAFT:  # so that its buttons go once it is decided
            await rows.drafts.show_on(user_id, about.id, message_id)
        case OpenedCard(reflection_id):
            await rows.openings.show_on(user_id, reflection_id, message_id)
        case InviteCard(invite_id):
            await rows.invites.show_on(user_id, invite_id, message_id)
        case RecapCard():
            await rows.users.recap_has_come(user_id)
