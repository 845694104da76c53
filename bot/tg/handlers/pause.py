"""/pause, /resume, and the offers that the bot makes about its pace."""

from datetime import date, datetime

from bot.domain.model import User
from bot.domain.results import ArgumentUnclear, Result, Silence
from bot.services.pace import Pace
from bot.services.pause import Pause as PauseService
from bot.services.profile import Profile
from bot.tg.callbacks import NotOurs
from bot.tg.handlers.settings import ForUser, about, of_the_ready, when_ready
from bot.tg.handlers.start import read_hour
from bot.tg.turn import Handler, Turn

_CHOICES = {"3": 3, "7": 7}


class Pause:
    """Handlers of the pause and of the pace."""

    def __init__(self, pause: PauseService, pace: Pace, profile: Profile) -> None:
        self._pause = pause
        self._pace = pace
        self.commands: dict[str, Handler] = {
            "pause": when_ready(profile, self.pause_said),
            "resume": when_ready(profile, self.resume_said),
        }
        taps: dict[str, ForUser] = {
            "pause_for": self.longer,
            "pause_back": self.pause,
            "pause_days": self.days,
            "pause_open": self.until_told,
            "pause_day": self.day,
            "pause_month": self.month,
            "pause_until": self.until,
            "blank": self.blank,
            "resume": self.resume,
            "daily": self.daily,
            "move_hour": self.move_hour,
            "take_deeper": self.take_deeper,
            "leave_offer": self.leave_offer,
        }
        self.taps: dict[str, Handler] = {action: of_the_ready(handler) for action, handler in taps.items()}

    async def pause_said(self, turn: Turn, user: User) -> Result:
        """/pause, also with how long: "3 days", "until Friday", "until I say so"."""
        if not turn.argument:
            return await self._pause.wanted(turn.rows, user, turn.now)
        result = await self._pause.read(turn.rows, user, turn.argument, turn.now)
        return result or await self._pause.day_wanted(turn.rows, user, turn.now, unclear=True)

    async def pause(self, turn: Turn, user: User) -> Result:
        return await self._pause.wanted(turn.rows, user, turn.now)

    async def longer(self, turn: Turn, user: User) -> Result:
        return await self._pause.longer(turn.rows, user, turn.now)

    async def days(self, turn: Turn, user: User) -> Result:
        if (dates := _CHOICES.get(about(turn))) is None:
            raise NotOurs
        return await self._pause.dates(turn.rows, user, dates, turn.now)

    async def until_told(self, turn: Turn, user: User) -> Result:
        return await self._pause.until_told(turn.rows, user, turn.now)

    async def day(self, turn: Turn, user: User) -> Result:
        return await self._pause.day_wanted(turn.rows, user, turn.now)

    async def month(self, turn: Turn, user: User) -> Result:
        return await self._pause.day_wanted(turn.rows, user, turn.now, month=_date(about(turn) + "01"))

    async def until(self, turn: Turn, user: User) -> Result:
        return await self._pause.until(turn.rows, user, _date(about(turn)), turn.now)

    async def blank(self, _turn: Turn, _user: User) -> Result:
        """A field of the calendar that is no day."""
        return Silence()

    async def resume_said(self, turn: Turn, user: User) -> Result:
        """/resume, also with when: "Friday", "in 3 days"."""
        if not turn.argument:
            return await self.resume(turn, user)
        await turn.rows.dialogs.forget(turn.user_id)
        result = await self._pause.resume_said(turn.rows, user, turn.argument, turn.now)
        return result or ArgumentUnclear("resume")

    async def resume(self, turn: Turn, user: User) -> Result:
        await turn.rows.dialogs.forget(turn.user_id)
        return await self._pause.resume(turn.rows, user, turn.now)

    async def daily(self, turn: Turn, user: User) -> Result:
        return await self._pace.daily(user, turn.now)

    async def move_hour(self, turn: Turn, user: User) -> Result:
        hours = about(turn)
        known = read_hour(hours[4:]) if hours[4:] else None
        return await self._pace.move_hour(turn.rows, user, read_hour(hours[:4]), known, turn.now)

    async def take_deeper(self, turn: Turn, user: User) -> Result:
        return await self._pace.take_deeper(turn.rows, user, turn.about)

    async def leave_offer(self, _turn: Turn, _user: User) -> Result:
        return await self._pace.leave_offer()


def _date(text: str) -> date:
    """A date as buttons carry it: 20261224. Raises NotOurs."""
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007  # a date of the user's own
    except ValueError:
        raise NotOurs from None
