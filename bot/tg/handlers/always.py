"""What works for everybody in every state: help, support, privacy, being blocked, and removing everything."""

from datetime import datetime

from bot.domain.results import Cancelled, Help, Privacy, Result, StopWanted, Support, UnknownCommand
from bot.services.privacy import Privacy as PrivacyService
from bot.services.profile import Profile
from bot.tg.turn import Turn


async def _leave(turn: Turn) -> None:
    """Leave whatever the user was in the middle of, as every command does."""
    await turn.rows.dialogs.forget(turn.user_id)


async def help_(turn: Turn) -> Result:
    await _leave(turn)
    return Help(paired=turn.user is not None and await turn.rows.pairs.looks_active_to(turn.user_id))


async def support(turn: Turn) -> Result:
    await _leave(turn)
    return Support()


async def privacy(turn: Turn) -> Result:
    await _leave(turn)
    return Privacy()


async def stop(turn: Turn) -> Result:
    await _leave(turn)
    return StopWanted(paired=turn.user is not None and await turn.rows.pairs.looks_active_to(turn.user_id))


async def cancel(turn: Turn) -> Result:
    return Cancelled(something=await turn.rows.dialogs.forget(turn.user_id))


async def unknown(turn: Turn) -> Result:
    await _leave(turn)
    return UnknownCommand()


async def blocked(turn: Turn) -> Result:
    return await Profile().blocked(turn.rows, turn.user, turn.now)


async def unblocked(turn: Turn) -> Result:
    return await Profile().unblocked(turn.rows, turn.user, turn.now)


async def what_is_stored(turn: Turn, _secret: str) -> Result:
    """Handle the button under the greeting."""
    return Privacy(before_agreeing=turn.user is None)


class Erasing:
    """/erase and its buttons, which also work for somebody who is still at the start."""

    def __init__(self, privacy: PrivacyService) -> None:
        self._privacy = privacy

    async def ask(self, turn: Turn) -> Result:
        await _leave(turn)
        return await self._privacy.ask_erase(turn.user, turn.now)

    async def erase(self, turn: Turn, asked_at: datetime) -> Result:
        return await self._privacy.erase(turn.rows, turn.user, asked_at, turn.now)

    async def keep(self, turn: Turn) -> Result:
        return await self._privacy.keep(turn.user, turn.now)
