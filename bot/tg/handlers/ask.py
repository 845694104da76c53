"""The question of the day: /today and the buttons under it."""

from bot.domain.model import Step
from bot.domain.results import Result
from bot.services.profile import Profile
from bot.services.prompts import Prompts
from bot.tg.callbacks import NotOurs, Tap
from bot.tg.turn import Handler, Turn


class Ask:
    """Handlers around the Ask."""

    def __init__(self, prompts: Prompts, profile: Profile) -> None:
        self._prompts = prompts
        self._profile = profile
        self.commands: dict[str, Handler] = {"today": self.today, "snooze": self.put_off}
        self.taps: dict[str, Handler] = {
            "today": self.today,
            "another": self.another,
            "lighter": self.lighter,
            "later": self.later,
            "snooze": self.snooze,
            "skip": self.skip,
            "back": self.back,
        }

    async def today(self, turn: Turn) -> Result:
        if turn.user is None or turn.user.step is not Step.READY:
            return self._profile.next_step(turn.user, turn.now)
        await turn.rows.dialogs.forget(turn.user_id)
        return await self._prompts.today(turn.rows, turn.user, turn.now)

    async def put_off(self, turn: Turn) -> Result:
        """/snooze: as "Later" under the question that is open."""
        if turn.user is None or turn.user.step is not Step.READY:
            return self._profile.next_step(turn.user, turn.now)
        await turn.rows.dialogs.forget(turn.user_id)
        if turn.argument:
            return await self._prompts.put_off_until(turn.rows, turn.user, turn.argument, turn.now)
        return await self._prompts.put_off(turn.rows, turn.user, turn.now)

    async def another(self, turn: Turn) -> Result:
        return await self._prompts.another(turn.rows, turn.owner, turn.about, turn.now)

    async def lighter(self, turn: Turn) -> Result:
        return await self._prompts.lighter(turn.rows, turn.owner, turn.about, turn.now)

    async def later(self, turn: Turn) -> Result:
        return await self._prompts.later(turn.rows, turn.owner, turn.about, turn.now)

    async def snooze(self, turn: Turn) -> Result:
        if turn.tap is None:
            raise NotOurs
        when, _, ask_id = turn.tap.about.partition(".")
        if when not in {"hour", "tonight", "morning"}:
            raise NotOurs
        return await self._prompts.snooze(turn.rows, turn.owner, Tap("snooze", ask_id).id, when, turn.now)

    async def skip(self, turn: Turn) -> Result:
        return await self._prompts.skip(turn.rows, turn.owner, turn.about, turn.now)

    async def back(self, turn: Turn) -> Result:
        return await self._prompts.bring_back(turn.rows, turn.owner, turn.about, turn.now)
