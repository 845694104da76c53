"""/ritual, and the buttons of the pair's weekly moment."""

from datetime import datetime
from typing import TypeVar

from bot.domain.content import Wish
from bot.domain.model import Step
from bot.domain.results import Result
from bot.domain.ritual import Terms
from bot.services.profile import Profile
from bot.services.ritual import Rituals
from bot.tg.callbacks import NotOurs, Tap, read_moment
from bot.tg.turn import Handler, Turn

T = TypeVar("T", Wish, Terms)


class Ritual:
    """Handlers of the Ritual."""

    def __init__(self, rituals: Rituals, profile: Profile) -> None:
        self._rituals = rituals
        self._profile = profile
        self.commands: dict[str, Handler] = {"ritual": self.show}
        self.taps: dict[str, Handler] = {
            "rit_show": self.back,
            "rit_days": self.days,
            "rit_day": self.hours,
            "rit_hour": self.propose,
            "rit_yes": self.agree,
            "rit_no": self.decline,
            "rit_ask_end": self.ask_end,
            "rit_end": self.take_back,  # in chats of before it ends an agreed one as well: such a button asks now
            "rit_over": self.end,
            "rit_open": self.open,
            "rit_lines": self.lines,
            "rit_line": self.choose,
            "rit_write": self.write,
            "rit_wish": self.wish,
            "rit_in": self.put_in,
            "rit_out": self.take_out,
            "rit_none": self.nothing,
        }

    async def show(self, turn: Turn) -> Result:
        if turn.user is None or turn.user.step is not Step.READY:
            return self._profile.next_step(turn.user, turn.now)
        await turn.rows.dialogs.forget(turn.user_id)
        return await self._rituals.show(turn.rows, turn.user, turn.now)

    async def back(self, turn: Turn) -> Result:
        return await self._rituals.show(turn.rows, turn.owner, turn.now, here=True)

    async def days(self, turn: Turn) -> Result:
        return await self._rituals.days(turn.rows, turn.owner, turn.now)

    async def hours(self, turn: Turn) -> Result:
        return await self._rituals.hours(turn.rows, turn.owner, turn.about, turn.now)

    async def propose(self, turn: Turn) -> Result:
        weekday, hour = _two(turn)
        return await self._rituals.propose(turn.rows, turn.owner, Tap("", weekday).id, hour, turn.now)

    async def agree(self, turn: Turn) -> Result:
        return await self._rituals.agree(turn.rows, turn.owner, turn.about, turn.now)

    async def decline(self, turn: Turn) -> Result:
        return await self._rituals.decline(turn.rows, turn.owner, turn.about, turn.now)

    async def ask_end(self, turn: Turn) -> Result:
        return await self._rituals.ask_end(turn.rows, turn.owner, turn.about, turn.now)

    async def take_back(self, turn: Turn) -> Result:
        return await self._rituals.take_back(turn.rows, turn.owner, turn.about, turn.now)

    async def end(self, turn: Turn) -> Result:
        return await self._rituals.end(turn.rows, turn.owner, turn.about, turn.now)

    async def open(self, turn: Turn) -> Result:
        return await self._rituals.morning(turn.rows, turn.owner, turn.now)

    async def lines(self, turn: Turn) -> Result:
        return await self._rituals.lines(turn.rows, turn.owner, _moment(turn), turn.now)

    async def choose(self, turn: Turn) -> Result:
        moment, line_id = _two(turn)
        return await self._rituals.choose(turn.rows, turn.owner, line_id, read_moment(moment), turn.now)

    async def write(self, turn: Turn) -> Result:
        return await self._rituals.write(turn.rows, turn.owner, _moment(turn), turn.now)

    async def wish(self, turn: Turn) -> Result:
        wish, reflection_id = _two(turn)
        return await self._rituals.wish(turn.rows, turn.owner, reflection_id, _one_of(Wish, wish), turn.now)

    async def put_in(self, turn: Turn) -> Result:
        terms, reflection_id = _two(turn)
        return await self._rituals.put_in(turn.rows, turn.owner, reflection_id, _one_of(Terms, terms), turn.now)

    async def take_out(self, turn: Turn) -> Result:
        return await self._rituals.take_out(turn.rows, turn.owner, turn.about, turn.now)

    async def nothing(self, turn: Turn) -> Result:
        return await self._rituals.nothing(turn.rows, turn.owner, _moment(turn), turn.now)


def _moment(turn: Turn) -> datetime:
    """The moment that a button is about; one of before, that carries none, is about a moment of before."""
    return read_moment(turn.tap.about if turn.tap else "")


def _two(turn: Turn) -> tuple[str, int]:
    """A word and a number that a button carries. Raises NotOurs."""
    word, _, number = (turn.tap.about if turn.tap else "").partition(".")
    return word, Tap("", number).id


def _one_of(kind: type[T], word: str) -> T:
    try:
        return kind(word)
    except ValueError:
        raise NotOurs from None
