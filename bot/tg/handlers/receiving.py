"""Receiving: /waiting, the announcement's buttons, and the Responses."""

from telegram import ReactionTypeEmoji

from bot.domain.model import Step
from bot.domain.results import Result, Silence
from bot.domain.sharing import Answer
from bot.services.profile import Profile
from bot.services.receiving import Receiving as ReceivingService
from bot.tg.callbacks import NotOurs, Tap
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
            "open_one": self.open_one,
            "open_later": self.later,
            "open_back": self.back,
            "open_at": self.put_off,
            "not_now": self.not_now,
            "all_later": self.all_later,
            "all_back": self.all_back,
            "all_at": self.put_off_all,
            "all_not_now": self.all_not_now,
            "respond": self.answer,
            "reply_send": self.send_reply,
            "reply_drop": self.drop_reply,
            "send": self.send_draft,
        }

    async def waiting(self, turn: Turn) -> Result:
        if turn.user is None or turn.user.step is not Step.READY:
            return self._profile.next_step(turn.user, turn.now)
        await turn.rows.dialogs.forget(turn.user_id)
        return await self._receiving.waiting(turn.rows, turn.user, turn.now)

    async def open(self, turn: Turn) -> Result:
        return await self._receiving.open(turn.rows, turn.owner, turn.about, turn.now)

    async def open_one(self, turn: Turn) -> Result:
        return await self._receiving.open_one(turn.rows, turn.owner, turn.about, turn.now)

    async def later(self, turn: Turn) -> Result:
        return await self._receiving.later(turn.rows, turn.owner, turn.about, turn.now)

    async def back(self, turn: Turn) -> Result:
        return await self._receiving.back(turn.rows, turn.owner, turn.about)

    async def put_off(self, turn: Turn) -> Result:
        when, reflection_id = _picked_day(turn)
        return await self._receiving.put_off(turn.rows, turn.owner, reflection_id, when, turn.now)

    async def not_now(self, turn: Turn) -> Result:
        return await self._receiving.not_now(turn.rows, turn.owner, turn.about, turn.now)

    async def all_later(self, turn: Turn) -> Result:
        return await self._receiving.all_later(turn.rows, turn.owner, turn.about, turn.now)

    async def all_back(self, turn: Turn) -> Result:
        return await self._receiving.all_back(turn.rows, turn.owner, turn.about, turn.now)

    async def put_off_all(self, turn: Turn) -> Result:
        when, announcement_id = _picked_day(turn)
        return await self._receiving.put_off_all(turn.rows, turn.owner, announcement_id, when, turn.now)

    async def all_not_now(self, turn: Turn) -> Result:
        return await self._receiving.all_not_now(turn.rows, turn.owner, turn.about, turn.now)

    async def answer(self, turn: Turn) -> Result:
        answer, reflection_id = picked(turn)
        if answer not in set(Answer):
            raise NotOurs
        return await self._receiving.answer(turn.rows, turn.owner, reflection_id, Answer(answer), turn.now)

    async def send_reply(self, turn: Turn) -> Result:
        return await self._receiving.send_reply(turn.rows, turn.owner, *_previewed(turn), turn.now)

    async def drop_reply(self, turn: Turn) -> Result:
        return await self._receiving.drop_reply(turn.rows, turn.owner, *_previewed(turn))

    async def send_draft(self, turn: Turn) -> Result:
        return await self._receiving.send_draft(turn.rows, turn.owner, turn.about, turn.now)

    async def reacted(self, turn: Turn) -> Result:
        """A reaction was put to one of our messages, or taken away."""
        reaction = turn.update.message_reaction
        if reaction is None or turn.user is None or turn.user.step is not Step.READY:
            return Silence()
        emoji = next((one.emoji for one in reaction.new_reaction if isinstance(one, ReactionTypeEmoji)), None)
        plain = emoji.replace("\ufe0f", "") if emoji else None  # some phones ask for the colourful one
        return await self._receiving.reacted(turn.rows, turn.user, reaction.message_id, plain, turn.now)


def _picked_day(turn: Turn) -> tuple[str, int]:
    """Tonight or tomorrow, and the id it is about. Raises NotOurs."""
    when, about = picked(turn)
    if when not in {"tonight", "tomorrow"}:
        raise NotOurs
    return when, about


def _previewed(turn: Turn) -> tuple[int, int | None]:
    """The Response of a preview, and the text that it was typed as, if that waits. Raises NotOurs."""
    if turn.tap is None:
        raise NotOurs
    response_id, _, draft_id = turn.tap.about.partition(".")
    return Tap("", response_id).id, Tap("", draft_id).id if draft_id else None
