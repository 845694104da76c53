"""The pace: the bot slows down when a user does nothing, and offers an hour or a depth that suits them better."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Final

from bot.domain.model import Ask, Rhythm, User
from bot.domain.notices import Notice, NoticeKind
from bot.domain.pace import TYPICAL_NEEDS, deeper, not_taken, other_hour
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
from bot.services.planning import replan, take_planned
from bot.services.visit import NoticeHandlers, Visit

_AFTER_THE_ANSWER: Final = timedelta(seconds=2)
"""An offer comes after the reply to the Line, not before it."""
_STILL_THERE: Final = timedelta(minutes=10)
"""How long after an answer we assume that the user is still there; we make offers only then."""


class Pace:
    """The bot's own decisions and offers about how often, when and how deep it asks."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self.notice_handlers: NoticeHandlers = {
            NoticeKind.OFFER_HOUR: self.offer_hour,
            NoticeKind.OFFER_DEEPER: self.offer_deeper,
        }

    async def note_activity(self, visit: Visit, *, wakes: bool) -> User:
        """Note that the user did something. If it `wakes` the bot, or the bot was quiet, it asks daily again."""
        if visit.user.rhythm is Rhythm.QUIET or (wakes and visit.user.rhythm is Rhythm.WEEKLY):
            return await replan(visit, rhythm=Rhythm.DAILY, unanswered=0, to_say=None)
        return await visit.rows.users.change(visit.user, unanswered=0) if visit.user.unanswered else visit.user

    async def daily(self, visit: Visit) -> Result:
        """Confirm that questions are daily again, which the tap itself has brought about. It doesn't end a pause."""
        if visit.user.paused_at:
            return Paused(visit.user.next_ask_at, already=True)
        return DailyAgain(visit.user.next_ask_at or visit.now)

    async def answered(self, visit: Visit, ask: Ask) -> None:
        """Handle the first answer to an Ask, before its Line is stored: make an offer if it is time for one."""
        user = await take_planned(visit, ask.day)
        prompt = self._library.prompts.get(ask.prompt_id or "")
        if prompt and prompt.depth == user.depth:
            user = await visit.rows.users.change(user, comfortable=user.comfortable + 1)
        at = visit.now + _AFTER_THE_ANSWER
        if not user.hour_offered and await self._other_hour(visit, visit.now):
            await visit.rows.users.change(user, hour_offered=True)
            await visit.rows.notices.add([(user.id, NoticeKind.OFFER_HOUR, user.id, at)], visit.now)
        elif depth := deeper(user):
            await visit.rows.users.change(user, offered_depth=depth, refused_depth=not_taken(user))
            await visit.rows.notices.add([(user.id, NoticeKind.OFFER_DEEPER, user.id, at)], visit.now)

    async def offer_hour(self, visit: Visit, _notice: Notice) -> Result | None:
        """Offer the hour at which the user usually answers, if they are still there; otherwise some other day."""
        at = await self._other_hour(visit)
        if visit.user.reachable and at and await self._is_there(visit):
            return OfferHour(at)
        await visit.rows.users.change(visit.user, hour_offered=False)
        return None

    async def offer_deeper(self, visit: Visit, _notice: Notice) -> Result | None:
        """Offer to go one notch deeper, if the user is still there; otherwise some other day."""
        fits = visit.user.offered_depth == visit.user.depth + 1 <= visit.user.ceiling
        if visit.user.reachable and fits and await self._is_there(visit):
            return OfferDeeper(visit.user.depth + 1)
        await visit.rows.users.change(visit.user, offered_depth=None)
        return None

    async def move_hour(self, visit: Visit, at: time, known: time | None) -> Result:
        """Move to the offered hour, unless the user's hour has changed since; `known` is their hour at that time."""
        user = visit.user
        if known and user.ask_at not in {known, at}:
            return OfferLeft()
        user = await replan(visit, ask_at=at)
        return HourMoved(user.next_ask_at or visit.now)

    async def take_deeper(self, visit: Visit, depth: int) -> Result:
        """Go one notch deeper, as offered. An old offer does nothing."""
        if depth != visit.user.depth + 1 or depth > visit.user.ceiling:
            return DeeperTaken() if depth == visit.user.depth else Outdated()
        taken = replace(visit.user, depth=depth, offered_depth=None)
        await visit.rows.users.change(
            visit.user, depth=depth, comfortable=0, offered_depth=None, refused_depth=not_taken(taken)
        )
        return DeeperTaken()

    async def leave_offer(self, _visit: Visit) -> Result:
        """Accept a no. We recorded the offer when we made it, so there is nothing to store."""
        return OfferLeft()

    async def _is_there(self, visit: Visit) -> bool:
        answered = await visit.rows.lines.answered(visit.user.id, 1)
        return bool(answered) and visit.now - answered[0] < _STILL_THERE

    async def _other_hour(self, visit: Visit, *latest: datetime) -> time | None:
        """Return an hour that fits the answers better than the set one. `latest` are answers that aren't stored yet."""
        if visit.user.zone is None:
            return None
        answered = [*latest, *await visit.rows.lines.answered(visit.user.id, TYPICAL_NEEDS)][:TYPICAL_NEEDS]
        return other_hour(visit.user, [local(moment, visit.user.zone) for moment in answered])
