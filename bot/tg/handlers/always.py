"""What works in every state, for everybody: help, support, privacy; and being blocked, or put into a group."""

from bot.domain.results import Cancelled, Help, Privacy, Result, StopWanted, Support, UnknownCommand
from bot.services.profile import Profile
from bot.tg.turn import Handler, Turn


class Always:
    """Handlers that don't depend on where a user is."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self.commands: dict[str, Handler] = {
            "help": self.help,
            "support": self.support,
            "privacy": self.privacy,
            "cancel": self.cancel,
            "stop": self.stop,
        }
        self.taps: dict[str, Handler] = {"privacy": self.what_is_stored}

    async def help(self, turn: Turn) -> Result:
        await self._leave(turn)
        return Help(paired=turn.user is not None and await turn.rows.pairs.seems_active(turn.user_id))

    async def support(self, turn: Turn) -> Result:
        await self._leave(turn)
        return Support()

    async def privacy(self, turn: Turn) -> Result:
        await self._leave(turn)
        return Privacy()

    async def stop(self, turn: Turn) -> Result:
        await self._leave(turn)
        return StopWanted(paired=turn.user is not None and await turn.rows.pairs.seems_active(turn.user_id))

    async def what_is_stored(self, turn: Turn) -> Result:
        """The button under the greeting."""
        return Privacy(before_agreeing=turn.user is None)

    async def cancel(self, turn: Turn) -> Result:
        return Cancelled(something=await turn.rows.dialogs.forget(turn.user_id))

    async def unknown(self, turn: Turn) -> Result:
        await self._leave(turn)
        return UnknownCommand()

    async def blocked(self, turn: Turn) -> Result:
        return await self._profile.blocked(turn.rows, turn.user, turn.now)

    async def unblocked(self, turn: Turn) -> Result:
        return await self._profile.unblocked(turn.rows, turn.user, turn.now)

    async def _leave(self, turn: Turn) -> None:
        """Any command leaves what the user was in the middle of."""
        await turn.rows.dialogs.forget(turn.user_id)
