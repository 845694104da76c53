"""Sharing: /share, "Share…" under a Line, and the buttons until it is opened; and how what came back has landed."""

from dataclasses import replace
from datetime import date, datetime
from typing import TypeVar

from bot.domain.content import Wish
from bot.domain.model import Step
from bot.domain.results import Result
from bot.domain.results.pairing import NotPaired, SharingEnded
from bot.domain.sharing import When
from bot.services.hearing import Hearing
from bot.services.profile import Profile
from bot.services.rewording import Rewording
from bot.services.sharing import Sharing as SharingService
from bot.tg.callbacks import NotOurs, Tap, read_moment
from bot.tg.turn import Handler, Turn

T = TypeVar("T", Wish, When)


class Sharing:
    """Handlers of the one who tells."""

    def __init__(self, sharing: SharingService, rewording: Rewording, hearing: Hearing, profile: Profile) -> None:
        self._sharing = sharing
        self._rewording = rewording
        self._hearing = hearing
        self._profile = profile
        self.commands: dict[str, Handler] = {"share": self.overview}
        self.taps: dict[str, Handler] = {
            "share": self.start,
            "share_page": self.page,
            "share_see": self.see,
            "share_show": self.show,
            "share_wish": self.wish,
            "share_how": self.ask_wish,
            "share_when": self.when,
            "share_at": self.at,
            "share_days": self.days,
            "share_day": self.day,
            "share_time": self.time,
            "share_soon": self.soon,
            "share_words": self.reword,
            "share_use": self.use_words,
            "share_drop": self.drop,
            "share_back": self.withdraw,
            "landed": self.landed,
        }

    async def overview(self, turn: Turn) -> Result:
        if turn.user is None or turn.user.step is not Step.READY:
            return self._profile.next_step(turn.user, turn.now)
        await turn.rows.dialogs.forget(turn.user_id)
        return await self._sharing.overview(turn.rows, turn.user, turn.now)

    async def page(self, turn: Turn) -> Result:
        return await self._sharing.overview(turn.rows, turn.owner, turn.now, before=turn.about)

    async def start(self, turn: Turn) -> Result:
        result = await self._sharing.start(turn.rows, turn.owner, turn.about, turn.now)
        # The button stands under a Line, beside those that change and delete it.
        return replace(result, beside=True) if isinstance(result, NotPaired | SharingEnded) else result

    async def see(self, turn: Turn) -> Result:
        return await self._sharing.show(turn.rows, turn.owner, turn.about, turn.now, here=False)

    async def show(self, turn: Turn) -> Result:
        return await self._sharing.show(turn.rows, turn.owner, turn.about, turn.now)

    async def wish(self, turn: Turn) -> Result:
        wish, known, about = _picked_when(turn)
        return await self._sharing.wish(turn.rows, turn.owner, about, _one_of(Wish, wish), turn.now, known=known)

    async def ask_wish(self, turn: Turn) -> Result:
        return await self._sharing.ask_wish(turn.rows, turn.owner, turn.about, turn.now)

    async def when(self, turn: Turn) -> Result:
        return await self._sharing.when(turn.rows, turn.owner, turn.about, turn.now)

    async def at(self, turn: Turn) -> Result:
        when, known, about = _picked_when(turn)
        return await self._sharing.set_time(turn.rows, turn.owner, about, _one_of(When, when), turn.now, known=known)

    async def days(self, turn: Turn) -> Result:
        known, about = _known(turn.tap.about if turn.tap else "")
        return await self._sharing.days(turn.rows, turn.owner, about, turn.now, known=known)

    async def day(self, turn: Turn) -> Result:
        day, known, about = _picked_when(turn)
        return await self._sharing.hours(turn.rows, turn.owner, about, _day(day), turn.now, known=known)

    async def time(self, turn: Turn) -> Result:
        minutes, known, about = _picked_when(turn)
        moment = read_moment(minutes)
        return await self._sharing.set_moment(turn.rows, turn.owner, about, moment, turn.now, known=known)

    async def soon(self, turn: Turn) -> Result:
        minutes, known, about = _picked_when(turn)
        moment = read_moment(minutes)
        return await self._sharing.set_soonest(turn.rows, turn.owner, about, moment, turn.now, known=known)

    async def reword(self, turn: Turn) -> Result:
        return await self._rewording.reword(turn.rows, turn.owner, turn.about, turn.now)

    async def use_words(self, turn: Turn) -> Result:
        reflection_id, _, message_id = (turn.tap.about if turn.tap else "").partition(".")
        return await self._rewording.use_words(
            turn.rows, turn.owner, Tap("", reflection_id).id, Tap("", message_id or "0").id or None, turn.now
        )

    async def drop(self, turn: Turn) -> Result:
        return await self._sharing.drop(turn.rows, turn.owner, turn.about, turn.now)

    async def withdraw(self, turn: Turn) -> Result:
        return await self._sharing.withdraw(turn.rows, turn.owner, turn.about, turn.now)

    async def landed(self, turn: Turn) -> Result:
        how, response_id = picked(turn)
        if how not in {"yes", "no"}:
            raise NotOurs
        return await self._hearing.landed(turn.rows, turn.owner, response_id, well=how == "yes")


def picked(turn: Turn) -> tuple[str, int]:
    """What was picked, and the id it is about. Raises NotOurs."""
    if turn.tap is None:
        raise NotOurs
    what, _, about = turn.tap.about.partition(".")
    return what, Tap(turn.tap.action, about).id


def _picked_when(turn: Turn) -> tuple[str, datetime | None, int]:
    """What was picked, for when it was set when the button was made, and the id it is about. Raises NotOurs."""
    what, _, rest = (turn.tap.about if turn.tap else "").partition(".")
    return what, *_known(rest)


def _known(about: str) -> tuple[datetime | None, int]:
    """For when a Reflection was set, None for a draft, and its id. A button of before knows only the id."""
    known, dot, reflection_id = about.partition(".")
    if not dot:
        return read_moment(""), Tap("", known).id
    return None if known == "0" else read_moment(known), Tap("", reflection_id).id


def _one_of(kind: type[T], text: str) -> T:
    try:
        return kind(text)
    except ValueError:
        raise NotOurs from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotOurs from None
