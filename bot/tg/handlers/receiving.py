"""Handlers of reactions to our messages."""

from bot.domain.results import Result, Silence
from bot.services.answering import Answering
from bot.tg.turn import Turn


class ReceivingHandlers:
    """Handlers for the receiver."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering

    async def reacted(self, turn: Turn) -> Result:
        """Handle a reaction that was added to one of our messages, or removed."""
        reaction = turn.update.message_reaction
        if reaction is None or not turn.is_ready:
            return Silence()
        emoji = reaction.emoji
        plain = emoji.replace("\ufe0f", "") if emoji else None  # some phones append the selector for a coloured emoji
        return await self._answering.reacted(turn.visit, reaction.message_id, plain)
