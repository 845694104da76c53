"""Receiving: /waiting, the announcement's buttons, and the Responses."""

from bot.domain.model import Step
from bot.domain.results import Result
from bot.domain.sharing import Answer
from bot.services.profile import Profile
from bot.services.receiving import Receiving as ReceivingService
from bot.tg.callbacks import NotOurs
from bot.tg.handlers.sharing import picked
from bot.tg.turn import Handler, Turn


class Receiving:
    """Handlers of the one who is told something."""

    def __init__(self, receiving: ReceivingService, profile: Profile) -> None:
        self._receiving = receiving
        self._profile = profile
        self.commands: dict[str, Handler] = {"waiting": self.waiting}
        self.taps: dict[str, Handler] = {
            "open": self.open,
            "open_later": self.later,
            "open_back": self.back,
            "open_at": self.put_off,
            "not_now": self.not_now,
            "respond": self.answer,
            "reply_send": self.send_reply,
            "reply_drop": self.drop_reply,
        }

    async def waiting(self, turn: Turn) -> Result:
        if turn.user is None or turn.user.step is not Step.READY:
            return self._profile.next_step(turn.user, turn.now)
        await turn.rows.dialogs.forget(turn.user_id)
        return await self._receiving.waiting(turn.rows, turn.user, turn.now)

    async def open(self, turn: Turn) -> Result:
        return await self._receiving.open(turn.rows, turn.owner, turn.about, turn.now)

    async def later(self, turn: Turn) -> Result:
        return await self._receiving.later(turn.rows, turn.owner, turn.about, turn.now)

    async def back(self, turn: Turn) -> Result:
        return await self._receiving.back(turn.rows, turn.owner, turn.about)

    async def put_off(self, turn: Turn) -> Result:
        when, reflection_id = picked(turn)
        if when not in {"tonight", "tomorrow"}:
            raise NotOurs
        return await self._receiving.put_off(turn.rows, turn.owner, reflection_id, when, turn.now)

    async def not_now(self, turn: Turn) -> Result:
        return await self._receiving.not_now(turn.rows, turn.owner, turn.about, turn.now)

    async def answer(self, turn: Turn) -> Result:
        answer, reflection_id = picked(turn)
        if answer not in set(Answer):
            raise NotOurs
        return await self._receiving.answer(turn.rows, turn.owner, reflection_id, Answer(answer), turn.now)

    async def send_reply(self, turn: Turn) -> Result:
        return await self._receiving.send_reply(turn.rows, turn.owner, turn.about, turn.now)

    async def drop_reply(self, turn: Turn) -> Result:
        return await self._receiving.drop_reply(turn.rows, turn.owner, turn.about)
