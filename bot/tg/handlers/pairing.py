"""/pair, /join, /unpair, the links of Invites, and the buttons of pairing."""

from bot.domain.invitations import Secret, find_link, read_secret
from bot.domain.model import Step
from bot.domain.results import ArgumentUnclear, Result
from bot.services.pairing import Pairing as PairingService
from bot.services.profile import Profile
from bot.tg.handlers.start import Start
from bot.tg.turn import Handler, Turn


class Pairing:
    """Handlers of pairing."""

    def __init__(self, pairing: PairingService, profile: Profile, start: Start) -> None:
        self._pairing = pairing
        self._profile = profile
        self._start = start
        self.commands: dict[str, Handler] = {
            "start": self.start,
            "pair": self.pair,
            "join": self.join,
            "unpair": self.unpair,
        }
        self.taps: dict[str, Handler] = {
            "pair_name": self.confirm_name,
            "pair_rename": self.rename,
            "pair_renew": self.renew,
            "pair_back": self.take_back,
            "pair_yes": self.confirm,
            "pair_no": self.refuse,
            "guest_yes": self.accept,
            "guest_no": self.decline,
            "guest_back": self.take_yes_back,
            "code": self.meant_as_code,
            "ask_unpair": self.unpair,
            "unpair": self.end,
            "stay": self.stay,
        }

    async def start(self, turn: Turn) -> Result:
        """/start, also as Telegram sends it for a link that was followed."""
        if not (payload := _said(turn)):
            return await self._start.start(turn)
        secret = read_secret(payload)
        if turn.user and turn.user.step is Step.READY:
            await turn.rows.dialogs.forget(turn.user_id)
            return await self._pairing.open(turn.rows, turn.user, secret or Secret(link=payload), turn.now)
        return await self._start.invited(turn, secret)

    async def pair(self, turn: Turn) -> Result:
        if turn.user is None or turn.user.step is not Step.READY:
            return self._profile.next_step(turn.user, turn.now)
        await turn.rows.dialogs.forget(turn.user_id)
        if read_secret(_said(turn)):
            return await self._pairing.join(turn.rows, turn.user, _said(turn), turn.now)
        if turn.argument:
            return ArgumentUnclear("pair")
        return await self._pairing.pair(turn.rows, turn.user, turn.now)

    async def join(self, turn: Turn) -> Result:
        typed = _said(turn)
        if turn.user is None or turn.user.step is not Step.READY:
            return await self._start.invited(turn, read_secret(typed))
        await turn.rows.dialogs.forget(turn.user_id)
        return await self._pairing.join(turn.rows, turn.user, typed, turn.now)

    async def meant_as_code(self, turn: Turn) -> Result:
        return await self._pairing.meant_as_code(turn.rows, turn.owner, turn.about, turn.now)

    async def unpair(self, turn: Turn) -> Result:
        if turn.user is None:
            return self._profile.next_step(turn.user, turn.now)
        await turn.rows.dialogs.forget(turn.user_id)
        return await self._pairing.ask_unpair(turn.rows, turn.user)

    async def confirm_name(self, turn: Turn) -> Result:
        return await self._pairing.confirm_name(turn.rows, turn.owner, turn.first_name, turn.now)

    async def rename(self, turn: Turn) -> Result:
        return await self._pairing.want_name(turn.rows, turn.owner, turn.about, turn.now)

    async def renew(self, turn: Turn) -> Result:
        return await self._pairing.renew(turn.rows, turn.owner, _id_or_none(turn), turn.now)

    async def take_back(self, turn: Turn) -> Result:
        return await self._pairing.take_back(turn.rows, turn.owner, _id_or_none(turn), turn.now)

    async def confirm(self, turn: Turn) -> Result:
        return await self._pairing.confirm(turn.rows, turn.owner, turn.about, turn.now)

    async def refuse(self, turn: Turn) -> Result:
        return await self._pairing.refuse(turn.rows, turn.owner, turn.about, turn.now)

    async def accept(self, turn: Turn) -> Result:
        return await self._pairing.accept(turn.rows, turn.owner, turn.about, turn.first_name, turn.now)

    async def decline(self, turn: Turn) -> Result:
        return await self._pairing.decline(turn.rows, turn.owner, turn.about, turn.now)

    async def take_yes_back(self, turn: Turn) -> Result:
        return await self._pairing.take_yes_back(turn.rows, turn.owner, turn.about, turn.now)

    async def end(self, turn: Turn) -> Result:
        return await self._pairing.unpair(turn.rows, turn.owner, turn.about, turn.now)

    async def stay(self, turn: Turn) -> Result:
        return await self._pairing.keep_pair(turn.rows, turn.owner)


def _id_or_none(turn: Turn) -> int:
    """The id on the button; 0, which nothing has, where it is one of before, that carried none."""
    return turn.about if turn.tap and turn.tap.about else 0


def _said(turn: Turn) -> str:
    """What stands behind the command; where a link of an Invite is hidden behind its words, that too."""
    has_secret = read_secret(turn.argument) is not None
    return turn.argument if has_secret or find_link(turn.written) is None else turn.written
