"""/start, /pair and /join with an Invite, and the taps that use the first name from somebody's Telegram profile."""

from bot.domain.invitations import Secret, find_link, read_secret
from bot.domain.results import NothingCame, Result
from bot.services.pairing import Pairing
from bot.tg.handlers.start import StartHandlers
from bot.tg.routes import when_ready
from bot.tg.turn import Turn


class PairingHandlers:
    """Handlers of pairing."""

    def __init__(self, pairing: Pairing, start: StartHandlers) -> None:
        self._pairing = pairing
        self._start = start

    async def start(self, turn: Turn) -> Result:
        """Handle /start, including the form that Telegram sends when somebody follows a link."""
        if not (payload := _said(turn)):
            return await self._start.start(turn)
        secret = read_secret(payload)
        if turn.is_ready:
            await turn.rows.dialogs.forget(turn.user_id)
            return await self._pairing.open(turn.visit, secret or Secret(link=payload))
        return await self._start.invited(turn, secret)

    async def pair(self, turn: Turn) -> Result:
        said = _said(turn)
        if not said:
            return await when_ready(self._pairing.pair)(turn)
        return await when_ready(lambda visit: self._pairing.pair_said(visit, said))(turn)

    async def join(self, turn: Turn) -> Result:
        typed = _said(turn)
        if not turn.is_ready:
            return await self._start.invited(turn, read_secret(typed))
        await turn.rows.dialogs.forget(turn.user_id)
        return await self._pairing.join(turn.visit, typed)

    async def confirm_name(self, turn: Turn) -> Result:
        return await self._pairing.confirm_name(turn.visit, turn.first_name)

    async def accept(self, turn: Turn, invite_id: int) -> Result:
        if turn.is_ready:
            return await self._pairing.accept(turn.visit, invite_id, turn.first_name)
        return await self._promise(turn, invite_id)

    async def receive_only(self, turn: Turn, invite_id: int) -> Result:
        """Take the yes of a guest who wants no questions of their own, which we offer only during the start."""
        return await self.accept(turn, invite_id) if turn.is_ready else await self._promise(turn, invite_id, only=True)

    async def _promise(self, turn: Turn, invite_id: int, *, only: bool = False) -> Result:
        if await turn.rows.invites.find_as_guest(turn.visit.user.id, invite_id, turn.now) is None:
            return NothingCame()
        await self._pairing.promise(turn.visit, invite_id, turn.first_name, receives_only=only)
        return await self._start.next(turn)

    async def decline(self, turn: Turn, invite_id: int) -> Result:
        declined = await self._pairing.decline(turn.visit, invite_id)
        return declined if turn.is_ready else await self._start.next(turn)


def _said(turn: Turn) -> str:
    """Return the text after the command; if the Invite's link is only behind its words, the text with that link."""
    has_secret = read_secret(turn.argument) is not None
    return turn.argument if has_secret or find_link(turn.written) is None else turn.written
