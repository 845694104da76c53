"""Handlers of /hide, and of the button that removes a message."""

from bot.domain.results import Outdated, Result
from bot.domain.results.traces import Hidden
from bot.services.traces import Traces
from bot.tg.handlers.always import stop_waiting
from bot.tg.turn import Turn


class TracesHandlers:
    """Handlers that remove messages from the chat; they work in every state."""

    def __init__(self, traces: Traces) -> None:
        self._traces = traces

    async def hide(self, turn: Turn) -> Result:
        """Clear the chat. Without consent we know nothing about it, not even the ids of messages."""
        await stop_waiting(turn)
        return await self._traces.hide_all(turn.visit, turn.message.message_id) if turn.user else Hidden()

    async def hide_this(self, turn: Turn) -> Result:
        """Remove the message with the button."""
        tapped = turn.update.callback_query.message if turn.update.callback_query else None
        if turn.user is None or tapped is None:
            return Outdated()
        return await self._traces.hide_this(turn.visit, tapped.message_id)
