"""Handlers of texts, and of everything else that a user can send."""

from bot.domain.invitations import Secret, find_link
from bot.domain.results import ForwardedText, Result, Silence, TextOnly
from bot.services.journal import Journal
from bot.services.lines import Lines
from bot.services.pairing import Pairing
from bot.tg.handlers.start import StartHandlers
from bot.tg.turn import Turn


class LinesHandlers:
    """Handlers around Lines."""

    def __init__(self, lines: Lines, journal: Journal, pairing: Pairing, start: StartHandlers) -> None:
        self._lines = lines
        self._journal = journal
        self._pairing = pairing
        self._start = start

    async def text(self, turn: Turn) -> Result:
        if not turn.is_ready:
            return await self._start.typed(turn)
        if invited := await self._invited(turn):
            return invited
        if turn.message.is_forwarded:
            return ForwardedText()
        result = await self._lines.receive(
            turn.visit, turn.text, turn.message.message_id, reply_to=turn.message.reply_to
        )
        return await self._journal.returned(turn.visit, result)

    async def edited(self, turn: Turn) -> Result:
        if turn.message.is_forwarded:
            return Silence()
        if not turn.is_ready:
            return await self._start.edited(turn)
        if invited := await self._invited(turn):
            return invited
        return await self._lines.edited(turn.visit, turn.text, turn.message.message_id)

    async def still_awaits(self, turn: Turn) -> bool:
        """Return whether we still wait for the value that we took the edited message for."""
        return await self._lines.still_awaits(turn.visit, turn.message.message_id)

    async def not_text(self, turn: Turn) -> Result:
        """Handle a picture, a voice message, a sticker, a file, a poll or anything else that isn't text."""
        if not turn.is_ready:
            return await self._start.typed(turn)
        return await self._invited(turn) or TextOnly()

    async def _invited(self, turn: Turn) -> Result | None:
        """Open an Invite if the message contains its link, pasted or forwarded. Such a message is never a Line."""
        link = find_link(turn.written)
        return await self._pairing.open(turn.visit, Secret(link=link)) if link else None
