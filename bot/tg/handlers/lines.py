"""Texts, and the buttons under a Line or a text that waits."""

from bot.domain.invitations import Secret, find_link
from bot.domain.model import Step, User
from bot.domain.results import ForwardedText, Result, Silence, TextOnly
from bot.services.lines import Lines as LinesService
from bot.services.pairing import Pairing
from bot.tg.callbacks import NotOurs, Tap
from bot.tg.handlers.start import Start
from bot.tg.turn import Handler, Turn


class Lines:
    """Handlers around Lines."""

    def __init__(self, lines: LinesService, pairing: Pairing, start: Start) -> None:
        self._lines = lines
        self._pairing = pairing
        self._start = start
        self.commands: dict[str, Handler] = {}
        self.taps: dict[str, Handler] = {
            "change": self.change,
            "line": self.show,
            "delete": self.ask_delete,
            "erase_line": self.delete,
            "keep": self.keep,
            "replace": self.replace,
            "shorten": self.shorten,
            "drop": self.drop,
        }

    async def text(self, turn: Turn) -> Result:
        if turn.user is None or turn.user.step is not Step.READY:
            return await self._start.typed(turn)
        if invited := await self._invited(turn, turn.user):
            return invited
        if turn.message.forward_origin:
            return ForwardedText()
        replied = turn.message.reply_to_message
        return await self._lines.receive(
            turn.rows,
            turn.user,
            turn.text,
            turn.message.message_id,
            turn.now,
            reply_to=replied.message_id if replied else None,
        )

    async def edited(self, turn: Turn) -> Result:
        if turn.message.forward_origin:
            return Silence()
        if turn.user is None or turn.user.step is not Step.READY:
            return await self._start.edited(turn)
        if invited := await self._invited(turn, turn.user):
            return invited
        return await self._lines.edited(turn.rows, turn.user, turn.text, turn.message.message_id, turn.now)

    async def still_awaits(self, turn: Turn) -> bool:
        """Whether what the edited message was taken for is still awaited."""
        return await self._lines.still_awaits(turn.rows, turn.owner, turn.message.message_id, turn.now)

    async def not_text(self, turn: Turn) -> Result:
        """A picture, a voice, a sticker, a file, a poll and whatever else there is."""
        if turn.user is None or turn.user.step is not Step.READY:
            return await self._start.typed(turn)
        return await self._invited(turn, turn.user) or TextOnly()

    async def _invited(self, turn: Turn, user: User) -> Result | None:
        """A message with the link of one invitation, pasted or forwarded, is no Line, whatever else is going on."""
        link = find_link(turn.written)
        return await self._pairing.open(turn.rows, user, Secret(link=link), turn.now) if link else None

    async def change(self, turn: Turn) -> Result:
        return await self._lines.change(turn.rows, turn.owner, *_shown(turn), turn.now)

    async def show(self, turn: Turn) -> Result:
        return await self._lines.show(turn.rows, turn.owner, turn.about)

    async def ask_delete(self, turn: Turn) -> Result:
        return await self._lines.ask_delete(turn.rows, turn.owner, *_shown(turn))

    async def delete(self, turn: Turn) -> Result:
        return await self._lines.delete(turn.rows, turn.owner, *_shown(turn), turn.now)

    async def keep(self, turn: Turn) -> Result:
        return await self._lines.keep_draft(turn.rows, turn.owner, turn.about, turn.now)

    async def replace(self, turn: Turn) -> Result:
        return await self._lines.replace_by_draft(turn.rows, turn.owner, turn.about, turn.now)

    async def shorten(self, turn: Turn) -> Result:
        return await self._lines.shorten_draft(turn.rows, turn.owner, turn.about, turn.now)

    async def drop(self, turn: Turn) -> Result:
        return await self._lines.drop_draft(turn.rows, turn.owner, turn.about)


def _shown(turn: Turn) -> tuple[int, int]:
    """The Line of a button, and which wording of it the button stands under: before there were such, the first."""
    if turn.tap is None:
        raise NotOurs
    line_id, _, revision = turn.tap.about.partition(".")
    return Tap("", line_id).id, Tap("", revision or "0").id
