"""Handlers of /privacy, /export and /erase."""

from datetime import datetime

from bot.domain.results import Erased, EraseWanted, PrivacyShown, Result
from bot.domain.results.privacy import NothingStored, PolicySent, PolicyShown
from bot.services.exporting import Exporting
from bot.services.privacy import Privacy
from bot.tg.handlers.always import stop_waiting
from bot.tg.turn import Turn


async def privacy(turn: Turn) -> Result:
    await stop_waiting(turn)
    return PrivacyShown()


async def what_is_stored(turn: Turn, _secret: str) -> Result:
    """Handle the button under the greeting."""
    return PrivacyShown(before_agreeing=turn.user is None)


async def policy(_: Turn) -> Result:
    """Handle the button that shows the whole policy."""
    return PolicyShown()


async def policy_file(_: Turn) -> Result:
    """Handle the button that sends it as a file."""
    return PolicySent()


class PrivacyHandlers:
    """Handlers of /export and /erase, which also work during the start."""

    def __init__(self, privacy: Privacy, exporting: Exporting) -> None:
        self._privacy = privacy
        self._exporting = exporting

    async def export(self, turn: Turn) -> Result:
        await stop_waiting(turn)
        return await self._exporting.request(turn.visit) if turn.user else NothingStored()

    async def ask(self, turn: Turn) -> Result:
        await stop_waiting(turn)
        if turn.user is None and await turn.rows.arrivals.waits(turn.user_id):
            return EraseWanted(turn.now)
        return await self._privacy.ask_erase(turn.user, turn.now)

    async def erase(self, turn: Turn, asked_at: datetime) -> Result:
        if turn.user is None and await self._privacy.erase_arrival(turn.rows, turn.user_id):
            return Erased()
        return await self._privacy.erase(turn.rows, turn.user, asked_at, turn.now)

    async def keep(self, turn: Turn) -> Result:
        return await self._privacy.keep(turn.user, turn.now)
