"""What is stored, and /erase."""

from datetime import datetime

from bot.domain.results import PrivacyShown, Result
from bot.services.privacy import Privacy
from bot.tg.handlers.always import leave
from bot.tg.turn import Turn


async def privacy(turn: Turn) -> Result:
    await leave(turn)
    return PrivacyShown()


async def what_is_stored(turn: Turn, _secret: str) -> Result:
    """Handle the button under the greeting."""
    return PrivacyShown(before_agreeing=turn.user is None)


class PrivacyHandlers:
    """/erase and its buttons, which also work for somebody who is still at the start."""

    def __init__(self, privacy: Privacy) -> None:
        self._privacy = privacy

    async def ask(self, turn: Turn) -> Result:
        await leave(turn)
        return await self._privacy.ask_erase(turn.user, turn.now)

    async def erase(self, turn: Turn, asked_at: datetime) -> Result:
        return await self._privacy.erase(turn.rows, turn.user, asked_at, turn.now)

    async def keep(self, turn: Turn) -> Result:
        return await self._privacy.keep(turn.user, turn.now)
