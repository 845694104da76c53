"""Which message of a chat is a card, and of what. This tells what a reply is about and which buttons to remove."""

from bot.storage.store import Rows
from bot.tg.screens.screen import AskCard, Card, DraftCard, LineCard, OpenedCard


async def note(rows: Rows, user_id: int, message_id: int, card: Card) -> None:
    """Record that this message is now that card. Does nothing if what it shows is already gone."""
    match card:
        case AskCard(ask_id, prompt_id):
            await rows.asks.showing(user_id, message_id, ask_id, prompt_id)
        case LineCard(line_id):
            await rows.lines.show_on(user_id, line_id, message_id)
        case DraftCard(draft_id):
            await rows.drafts.show_on(user_id, draft_id, message_id)
        case OpenedCard(reflection_id):
            await rows.openings.show_on(user_id, reflection_id, message_id)
