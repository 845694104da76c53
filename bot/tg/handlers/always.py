"""What works in every state, for everybody: help, support, privacy, pause; and being blocked, or put into a group."""

from bot.domain.model import Step
from bot.domain.results import Cancelled, Help, Privacy, Result, Support, UnknownCommand
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
            "pause": self.pause,
            "resume": self.resume,
        }
        self.taps: dict[str, Handler] = {"privacy": self.privacy, "resume": self.resume}

    async def help(self, turn: Turn) -> Result:
        await self._leave(turn)
        return Help()

    async def support(self, turn: Turn) -> Result:
        await self._leave(turn)
        return Support()

    async def privacy(self, turn: Turn) -> Result:
        await self._leave(turn)
        return Privacy()

    async def cancel(self, turn: Turn) -> Result:
        return Cancelled(something=await turn.rows.dialogs.forget(turn.user_id))

    async def unknown(self, turn: Turn) -> Result:
        await self._leave(turn)
        return UnknownCommand()

    async def pause(self, turn: Turn) -> Result:
        if turn.user is None or turn.user.step is not Step.READY:
            return self._profile.next_step(turn.user, turn.now)
        await self._leave(turn)
        return await self._profile.pause(turn.rows, turn.user, turn.now)

    async def resume(self, turn: Turn) -> Result:
        if turn.user is None or turn.user.step is not Step.READY:
            return self._profile.next_step(turn.user, turn.now)
        await self._leave(turn)
        return await self._profile.resume(turn.rows, turn.user, turn.now)

    async def blocked(self, turn: Turn) -> Result:
        return await self._profile.blocked(turn.rows, turn.user, turn.now)

    async def unblocked(self, turn: Turn) -> Result:
        return await self._profile.unblocked(turn.rows, turn.user, turn.now)

    async def _leave(self, turn: Turn) -> None:
        """Any command leaves what the user was in the middle of."""
        await turn.rows.dialogs.forget(turn.user_id)
