"""Which message of a chat is the card of what: it tells what a reply is about, and whose buttons can be taken off."""

from bot.storage.store import Rows
from bot.tg.screens.screen import AskCard, Card, DraftCard, LineCard, OpenedCard


async def note(rows: Rows, user_id: int, message_id: int, card: Card) -> None:
    """This message is that card from now on. Nothing happens where what it shows is gone by now."""
    match card:
        case AskCard(ask_id, prompt_id):
            await rows.asks.showing(user_id, message_id, ask_id, prompt_id)
        case LineCard(line_id):
            await rows.lines.show_on(user_id, line_id, message_id)
        case DraftCard(draft_id):
            await rows.drafts.show_on(user_id, draft_id, message_id)
        case OpenedCard(reflection_id):
            await rows.openings.show_on(user_id, reflection_id, message_id)
