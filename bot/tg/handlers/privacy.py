"""/erase, and its two buttons."""

from datetime import UTC, datetime, timedelta
from typing import Final

from bot.domain.results import Result
from bot.services.privacy import Privacy as PrivacyService
from bot.tg.turn import Handler, Turn

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = 1 << 37  # seconds; a forged button may carry more than a datetime can hold


class Privacy:
    """Handlers of what is stored."""

    def __init__(self, privacy: PrivacyService) -> None:
        self._privacy = privacy
        self.commands: dict[str, Handler] = {"erase": self.ask_erase}
        self.taps: dict[str, Handler] = {"ask_erase": self.ask_erase, "erase_all": self.erase, "erase_none": self.keep}

    async def ask_erase(self, turn: Turn) -> Result:
        await turn.rows.dialogs.forget(turn.user_id)
        return await self._privacy.ask_erase(turn.user, turn.now)

    async def erase(self, turn: Turn) -> Result:
        asked_at = _EPOCH + timedelta(seconds=min(turn.about, _LATEST))
        return await self._privacy.erase(turn.rows, turn.user, asked_at, turn.now)

    async def keep(self, turn: Turn) -> Result:
        return await self._privacy.keep(turn.user, turn.now)
