"""The pace: the bot slows down without a sign of life, and offers what fits the person better."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Final

from bot.domain.model import Ask, Notice, NoticeKind, Rhythm, User
from bot.domain.offers import TYPICAL_NEEDS, deeper, not_taken, other_hour
from bot.domain.results import (
    DailyAgain,
    DeeperTaken,
    HourMoved,
    OfferDeeper,
    OfferHour,
    OfferLeft,
    Outdated,
    Paused,
    Result,
)
from bot.domain.times import local
from bot.library import Library
from bot.services.calendar import replan
from bot.storage.store import Rows

_AFTER_THE_ANSWER: Final = timedelta(seconds=2)
"""An offer follows what answered the Line, not the other way round."""
_STILL_THERE: Final = timedelta(minutes=10)
"""So long somebody counts as being there: an offer is made to nobody else."""


class Pace:
    """Use cases around how often, when and how deep the bot asks, as far as it decides by itself."""

    def __init__(self, library: Library) -> None:
        self._library = library

    async def heard(self, rows: Rows, user: User, now: datetime, *, wakes: bool) -> User:
        """A sign of life. One that `wakes` brings back a question a day; so does any after the bot went quiet."""
        if user.rhythm is Rhythm.QUIET or (wakes and user.rhythm is Rhythm.WEEKLY):
            return await replan(rows, user, now, rhythm=Rhythm.DAILY, unanswered=0, to_say=None)
        return await rows.users.change(user, unanswered=0) if user.unanswered else user

    async def daily(self, user: User, now: datetime) -> Result:
        """Daily again. The tap itself has woken the bot, but ends no pause."""
        if user.paused_at:
            return Paused(user.next_ask_at, already=True)
        return DailyAgain(user.next_ask_at or now)

    async def answered(self, rows: Rows, user: User, ask: Ask, now: datetime) -> None:
        """An Ask was answered for the first time: it may be time for an offer."""
        prompt = self._library.prompts.get(ask.prompt_id or "")
        if prompt and prompt.depth == user.depth:
            user = await rows.users.change(user, comfortable=user.comfortable + 1)
        at = now + _AFTER_THE_ANSWER
        if not user.hour_offered and await self._other_hour(rows, user):
            await rows.users.change(user, hour_offered=True)
            await rows.notices.add([(user.id, NoticeKind.OFFER_HOUR, user.id, at)], now)
        elif depth := deeper(user):
            await rows.users.change(user, offered_depth=depth, refused_depth=not_taken(user))
            await rows.notices.add([(user.id, NoticeKind.OFFER_DEEPER, user.id, at)], now)

    async def offer_hour(self, rows: Rows, user: User, _notice: Notice, now: datetime) -> Result | None:
        """Offer the hour at which the user usually answers, while they are there; else another time."""
        at = await self._other_hour(rows, user)
        if user.reachable and at and await self._is_there(rows, user, now):
            return OfferHour(at)
        await rows.users.change(user, hour_offered=False)
        return None

    async def offer_deeper(self, rows: Rows, user: User, _notice: Notice, now: datetime) -> Result | None:
        """Offer one notch more, while the user is there; else another time."""
        fits = user.offered_depth == user.depth + 1 <= user.ceiling
        if user.reachable and fits and await self._is_there(rows, user, now):
            return OfferDeeper(user.depth + 1)
        await rows.users.change(user, offered_depth=None)
        return None

    async def move_hour(self, rows: Rows, user: User, at: time, known: time | None, now: datetime) -> Result:
        """Move to the hour that was offered, unless the one of then, which the offer knows, was changed meanwhile."""
        if known and user.ask_at not in {known, at}:
            return OfferLeft()
        user = await replan(rows, user, now, ask_at=at)
        return HourMoved(user.next_ask_at or now)

    async def take_deeper(self, rows: Rows, user: User, depth: int) -> Result:
        """One notch deeper, as offered. An offer of another time does nothing."""
        if depth != user.depth + 1 or depth > user.ceiling:
            return DeeperTaken() if depth == user.depth else Outdated()
        taken = replace(user, depth=depth, offered_depth=None)
        await rows.users.change(user, depth=depth, comfortable=0, offered_depth=None, refused_depth=not_taken(taken))
        return DeeperTaken()

    async def leave_offer(self) -> Result:
        """No is a full answer; that the offer was made is remembered already."""
        return OfferLeft()

    async def _is_there(self, rows: Rows, user: User, now: datetime) -> bool:
        answered = await rows.lines.answered(user.id, 1)
        return bool(answered) and now - answered[0] < _STILL_THERE

    async def _other_hour(self, rows: Rows, user: User) -> time | None:
        if user.zone is None:
            return None
        answered = await rows.lines.answered(user.id, TYPICAL_NEEDS)
        return other_hour(user, [local(moment, user.zone) for moment in answered])
