"""The Ask: planned when due, asked, swapped, put off or skipped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from bot import calendars
from bot.domain.callbacks import LOOK_BACK, NOT_AGAIN, OLD_ENOUGH, OPEN_DAYS, Answered, when_used_up
from bot.domain.content import Prompt
from bot.domain.model import DEPTH_AT_START, Ask, AskOpening, AskState, Dialog, User, Waiting
from bot.domain.moments import Clock, looks_like_time, read_later
from bot.domain.notices import Notice, NoticeKind, free_at
from bot.domain.planning import PUNCTUAL, not_asked, plan, too_late
from bot.domain.prompts import Today, choose, depth_of_day, may_ask, oldest
from bot.domain.recap import due_after
from bot.domain.results import (
    Asked,
    AskPassed,
    CalledBack,
    LaterWanted,
    NoOther,
    NothingOpen,
    OfferLeft,
    Result,
    Skipped,
    Snoozed,
    StaysOpen,
    TodayAnswered,
)
from bot.domain.times import NIGHT_ENDS, Later, local, put_off_until
from bot.library import Library
from bot.logs import incident
from bot.metrics import ASKS_LATE
from bot.services.awaiting_consent import await_consent
from bot.services.habits import habits_of
from bot.services.lines import Typed
from bot.services.menu import changes_menu, renew_menus
from bot.services.planning import ask_now, take_planned
from bot.services.visit import NoticeHandlers, Visit
from bot.storage.ids import timeless_id
from bot.storage.store import Rows, Store, is_passing

_FURTHEST: Final = timedelta(days=7)
_LATE: Final = timedelta(minutes=5)
"""A question that is later than this counts as late in the metrics."""
_APART: Final = timedelta(minutes=30)
"""How long before the next question a postponed one comes, if it would otherwise coincide with it."""
_REMIND_AFTER: Final = timedelta(hours=2)
_VALUES: Final = tuple(waiting for waiting in Waiting if not waiting.wants_words)
"""What we stop waiting for once a question comes, so that we don't take its answer for a name, for example."""
_LATER: Final = (Waiting.SNOOZE,)
_AWAITED_FOR: Final = timedelta(minutes=10)
"""For how long we take a text as the time we asked for."""
_BATCH: Final = 50
"""How many users we plan in one transaction: few enough not to hold up somebody who taps a button meanwhile."""
_RESTED: Final = timedelta(days=30)
"""How long ago a question must have been asked before it can be swapped in again, when no fresh one is left."""
_PLAN_RETRY: Final = timedelta(hours=1)
"""How long we wait before we retry a user whose next question couldn't be planned."""
_BROUGHT_BACK: Final = 500
"""How many Lines a Callback is chosen from at most, the oldest ones."""

Put = Asked | CalledBack
"""What a user is shown when an Ask comes."""

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Planned:
    """How many users one round of planning looked at, asked, and missed."""

    looked_at: int
    asked: int
    missed: int


class Asks:
    """Use cases around the Ask."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self.typed: dict[Waiting, Typed] = {Waiting.SNOOZE: self.time_typed}
        self.notice_handlers: NoticeHandlers = {NoticeKind.ASK: self.deliver, NoticeKind.REMINDER: self.remind}

    async def plan_due(self, store: Store, now: datetime) -> Planned:
        """Plan for up to _BATCH users whose hour has come: an Ask with its Notice, and the next hour, for each.

        We choose the prompt of an Ask only when it is sent, by what its user allows then.
        """
        users: list[User] = []
        try:
            async with store.writing() as rows:
                users = await rows.users.due(now, _BATCH)
                return await self._plan(rows, users, now)
        except Exception as error:
            if is_passing(error) or not users:
                raise
        # Planning fails for one of them, and the others must not wait because of that.
        planned = [await self._plan_one(store, user.id, now) for user in users]
        return Planned(len(users), sum(one.asked for one in planned), sum(one.missed for one in planned))

    async def _plan_one(self, store: Store, user_id: int, now: datetime) -> Planned:
        """Plan for a single user; if that fails, try again after _PLAN_RETRY."""
        try:
            async with store.writing(user_id) as rows:
                user = await rows.users.find(user_id)
                is_due = user and user.next_ask_at and user.next_ask_at <= now
                return await self._plan(rows, [user] if user and is_due else [], now)
        except Exception as error:
            if is_passing(error):
                raise
            incident(log, error, user=user_id)
        async with store.writing(user_id) as rows:
            await rows.users.retry_planning(user_id, now + _PLAN_RETRY)
        return Planned(1, 0, 0)

    async def _plan(self, rows: Rows, users: Sequence[User], now: datetime) -> Planned:
        plans = [plan(user, now) for user in users]
        missed = [
            Ask(timeless_id(), planned.user.id, slot.day, AskState.MISSED, slot.at)
            for planned in plans
            for slot in planned.missed
        ]
        asks = [
            (Ask(timeless_id(), planned.user.id, planned.asked.day, AskState.DUE, planned.asked.at), planned.send_at)
            for planned in plans
            if planned.asked and planned.send_at
        ]
        await rows.users.move_on([planned.user for planned in plans])
        await rows.skipped.add([(planned.user.id, span) for planned in plans for span in planned.skipped])
        added = await rows.asks.add([*missed, *(ask for ask, _ in asks)])
        due = [
            (ask.user_id, NoticeKind.ASK, put.id, send_at)
            for ask, send_at in asks
            if (put := ask if ask.id in added else await self._put_again(rows, ask))
        ]
        await rows.notices.add(due, now)
        recaps = [(user.id, due_after(user, now)) for user in (planned.user for planned in plans if planned.asked)]
        await rows.notices.plan_once([(whose, NoticeKind.RECAP, whose, at) for whose, at in recaps if at], now)
        for user in users:
            if not user.has_agreed:
                await await_consent(rows, user, now)
        ended = zip(users, plans, strict=True)
        await renew_menus(rows, [user.id for user, planned in ended if changes_menu(rows, user, planned.user)], now)
        return Planned(len(users), len(due), len(missed))

    async def _put_again(self, rows: Rows, due: Ask) -> Ask | None:
        """Make the very first Ask due again, if it is still open when the hour of its day comes, and return it."""
        ask = await rows.asks.on(due.user_id, due.day)
        if ask is None or ask.state is not AskState.OPEN:
            return None
        return ask if await rows.asks.decide(ask, AskState.DUE, due_at=due.due_at) else None

    async def ask_first(self, visit: Visit) -> Result:
        """Ask the first question, before we know the hour and the zone. Its local date is settled with the zone."""
        ask = Ask(timeless_id(), visit.user.id, visit.now.date(), AskState.OPEN, visit.now)
        await visit.rows.asks.add([ask])
        return await self._asked(visit, ask)

    async def today(self, visit: Visit) -> Result:
        """Ask today's question now: again if it was asked already, otherwise before its hour."""
        if (ask := await self._todays(visit)) is None:
            return await self._ask_now(visit)
        if ask.state is AskState.ANSWERED:
            return TodayAnswered(visit.user.next_ask_at)
        result = await self.bring_back(visit, ask.id, here=False)
        planned = (await take_planned(visit, ask.day)).next_ask_at
        return replace(result, next_at=planned) if isinstance(result, Asked) and _moved(planned, visit.user) else result

    async def _todays(self, visit: Visit) -> Ask | None:
        """Return today's Ask, or, during the night, the previous day's if it is still undecided."""
        ask = await visit.rows.asks.latest(visit.user.id)
        here = local(visit.now, visit.zone)
        if ask and ask.day < here.date() and not (ask.undecided and here.time() < NIGHT_ENDS):
            return None
        return ask

    async def bring_back(self, visit: Visit, ask_id: int, *, here: bool = True) -> Result:
        """Reopen an Ask that was skipped, put off or left, unless a later one has been asked."""
        ask = await visit.rows.asks.find(visit.user.id, ask_id)
        latest = await visit.rows.asks.latest(visit.user.id)
        if ask is None or latest is None or latest.id != ask.id or not await self._open(visit.rows, ask, visit.now):
            return _passed(ask)
        before = None if here else await visit.rows.asks.newest_message(visit.user.id, ask.id)
        asked = await self._asked(visit, ask)
        return replace(asked, here=here, stale=(before,) if before else ())

    async def another(self, visit: Visit, ask_id: int) -> Result:
        """Swap the prompt for one of another theme."""
        return await self._swap(visit, ask_id, lighter=False)

    async def lighter(self, visit: Visit, ask_id: int) -> Result:
        """Swap the prompt for a lighter one and step down, privately: "too deep" always works and costs nothing."""
        return await self._swap(visit, ask_id, lighter=True)

    async def examples(self, visit: Visit, ask_id: int, *, show: bool) -> Result:
        """Show the question in place, with its two Examples or without them again. Nothing is stored."""
        ask = await visit.rows.asks.find(visit.user.id, ask_id)
        if ask is None or not ask.undecided or ask.prompt_id not in self._library.prompts:
            return _passed(ask)
        return Asked(ask.id, ask.prompt_id, here=True, opening=ask.opening, examples=show)

    async def later(self, visit: Visit, ask_id: int, *, unclear: bool = False) -> Result:
        """Ask how long to put the Ask off. The answer can be tapped or typed."""
        ask = await visit.rows.asks.find(visit.user.id, ask_id)
        if ask is None or not ask.undecided:
            return _passed(ask)
        if stays := _not_put_off(ask, visit.user, visit.now):
            return stays
        await visit.rows.dialogs.await_(visit.user.id, Dialog(Waiting.SNOOZE, ask.id, visit.now + _AWAITED_FOR))
        tonight = put_off_until(Later.TONIGHT, visit.now, visit.zone)
        return LaterWanted(ask.id, tonight=tonight is not None, unclear=unclear)

    async def put_off(self, visit: Visit) -> Result:
        """Put off the open Ask, if there is one."""
        ask = await visit.rows.asks.latest(visit.user.id)
        if ask and ask.undecided:
            return await self.later(visit, ask.id)
        today = await self._todays(visit)
        return TodayAnswered(visit.user.next_ask_at) if today and today.state is AskState.ANSWERED else NothingOpen()

    async def snooze(self, visit: Visit, when: Later, ask_id: int) -> Result:
        """Put the same Ask off until `when`."""
        ask = await visit.rows.asks.find(visit.user.id, ask_id)
        if ask is None or (until := _snoozed_until(when, visit)) is None:
            return await self.later(visit, ask_id)  # it is too late for "tonight": the other times are still there
        return await self._snooze(visit, ask, until)

    async def put_off_until(self, visit: Visit, words: str) -> Result:
        """Put off the open Ask as these words say ("2 hours", "tonight", "21:00"). If unclear, show the choices."""
        ask = await visit.rows.asks.latest(visit.user.id)
        if ask is None or not ask.undecided:
            return NothingOpen()
        return await self._put_off_until(visit, ask, words)

    async def time_typed(self, visit: Visit, awaited: Dialog, words: str, _message_id: int) -> Result | None:
        """Handle a text typed under the offered times; if it isn't about a time, it answers the question itself."""
        ask = await visit.rows.asks.find(visit.user.id, awaited.subject_id)
        if ask is None or not ask.undecided:
            return None
        is_one = looks_like_time(words) or read_later(words, Clock(visit.now, visit.zone), habits_of(visit.user))
        return await self._put_off_until(visit, ask, words) if is_one else None

    async def _put_off_until(self, visit: Visit, ask: Ask, words: str) -> Result:
        moments = read_later(words, Clock(visit.now, visit.zone), habits_of(visit.user))
        if not moments or moments[0] - visit.now > _FURTHEST:
            return await self.later(visit, ask.id, unclear=True)
        return await self._snooze(visit, ask, _before_the_next(moments[0], visit.user))

    async def _snooze(self, visit: Visit, ask: Ask, until: datetime) -> Result:
        await visit.rows.dialogs.forget(visit.user.id, only=_LATER)
        if ask.undecided and (stays := _not_put_off(ask, visit.user, visit.now)):
            return stays
        if not await visit.rows.asks.decide(ask, AskState.SNOOZED, snoozed_until=until):
            return _passed(ask)
        await take_planned(visit, ask.day)
        await visit.rows.notices.cancel_for_ask(ask.id, visit.now)
        await visit.rows.notices.add([(visit.user.id, NoticeKind.ASK, ask.id, until)], visit.now)
        return Snoozed(ask.id, until)

    async def skip(self, visit: Visit, ask_id: int) -> Result:
        ask = await visit.rows.asks.find(visit.user.id, ask_id)
        if ask is None or not await visit.rows.asks.decide(ask, AskState.SKIPPED):
            return _passed(ask)
        await take_planned(visit, ask.day)
        await visit.rows.dialogs.forget(visit.user.id, only=_LATER)
        await visit.rows.notices.cancel_for_ask(ask.id, visit.now)
        return Skipped(ask.id)

    async def deliver(self, visit: Visit, notice: Notice) -> Put | None:
        """Ask the question of a Notice, or return None if it is no longer needed or has to wait.

        It comes at the hour its user chose, even during quiet hours; an Ask that is late waits until they end.
        """
        ask = await visit.rows.asks.find(visit.user.id, notice.subject_id)
        if ask is None or not ask.undecided:
            return None
        latest = await visit.rows.asks.latest(visit.user.id)
        if not visit.user.reachable or (latest and latest.day > ask.day):
            await visit.rows.asks.decide(ask, AskState.LEFT)
            return None
        if too_late(visit.user, ask.snoozed_until or ask.due_at, visit.now):
            await self._miss(visit, ask, notice)
            return None
        if (at := _held_until(ask, visit.user, visit.now)) > visit.now:
            await visit.rows.notices.put_off(notice, at)
            return None
        if visit.now - (ask.snoozed_until or ask.due_at) > _LATE:
            ASKS_LATE.inc()
        if visit.user.soft_reminder and ask.state is AskState.DUE:
            await visit.rows.notices.add(
                [(visit.user.id, NoticeKind.REMINDER, ask.id, visit.now + _REMIND_AFTER)], visit.now
            )
        opening = ask.opening or visit.user.to_say
        if visit.user.to_say:
            await visit.rows.users.change(visit.user, to_say=None)
        await visit.rows.asks.asked(ask, shown_at=visit.now, opening=opening)
        await visit.rows.asks.leave_others(ask)
        await visit.rows.dialogs.forget(visit.user.id, only=_VALUES)
        asked = await self._asked(visit, ask)
        return replace(asked, opening=opening or asked.opening)

    async def _miss(self, visit: Visit, ask: Ask, notice: Notice) -> None:
        """Record an Ask that came too late as missed, or as left if its user may have seen it."""
        seen = ask.snoozed_until or notice.unclear
        if await visit.rows.asks.decide(ask, AskState.LEFT if seen else AskState.MISSED) and not seen:
            spared = not_asked(visit.user, ask.opening)
            await visit.rows.users.change(visit.user, unanswered=spared.unanswered, to_say=spared.to_say)

    async def remind(self, visit: Visit, notice: Notice) -> Asked | None:
        """Send an Ask's only reminder, if its user wants one and hasn't reacted; not if the next Ask is near."""
        ask = await visit.rows.asks.find(visit.user.id, notice.subject_id)
        latest = await visit.rows.asks.latest(visit.user.id)
        if ask is None or latest is None or ask.id != latest.id or ask.state is not AskState.OPEN:
            return None
        prompt = self._library.prompts.get(ask.prompt_id or "")
        if not visit.user.soft_reminder or ask.snoozed_until or prompt is None:
            return None
        if not may_ask(prompt, visit.user, paired=await _has_partner(visit)):
            return None
        if visit.user.next_ask_at and visit.user.next_ask_at - visit.now < _REMIND_AFTER:
            return None
        return Asked(ask.id, prompt.id, opening=AskOpening.STILL)

    async def _ask_now(self, visit: Visit) -> Result:
        user = visit.user
        day = local(visit.now, visit.zone).date()
        ask = Ask(timeless_id(), user.id, day, AskState.OPEN, visit.now)
        if not await visit.rows.asks.add([ask]):
            return AskPassed()
        planned = (await ask_now(visit, day)).next_ask_at
        await visit.rows.asks.leave_others(ask)
        return replace(await self._asked(visit, ask), next_at=planned if _moved(planned, user) else None)

    async def _open(self, rows: Rows, ask: Ask, now: datetime) -> bool:
        """Make this the Ask that the next text answers, and cancel the Notices still to be sent about it."""
        if not await rows.asks.reopen(ask, AskState.OPEN, shown_at=now):
            return False
        await rows.dialogs.forget(ask.user_id, only=_LATER)
        await rows.notices.cancel_for_ask(ask.id, now)
        await rows.asks.leave_others(ask)
        return True

    async def _asked(self, visit: Visit, ask: Ask) -> Put:
        """Ask with the prompt that this Ask already has, if its user can still be asked it; otherwise choose one now.

        If no fresh prompt is left, `domain.callbacks` decides; if nothing at all can be asked, there is no question.
        """
        paired = await _has_partner(visit)
        prompt = self._library.prompts.get(ask.prompt_id or "")
        if prompt and may_ask(prompt, visit.user, paired=paired):
            return Asked(ask.id, prompt.id)
        if ask.called_back and await self._may_bring_back(visit, ask.called_back, paired=paired):
            return CalledBack(ask.id, ask.called_back)
        today, shown = _today(visit, paired=paired), await visit.rows.asks.shown(visit.user.id)
        wanted = depth_of_day(visit.user, today.date)
        prompt = choose(self._library.prompts, visit.user, today, shown, wanted=wanted, seed=ask.id)
        if prompt is None:
            return await self._used_up(visit, ask, today, shown)
        return await self._set_prompt(visit.rows, ask, prompt, shown, visit.now)

    async def _used_up(self, visit: Visit, ask: Ask, today: Today, shown: Mapping[str, datetime]) -> Put:
        """Ask when no fresh prompt is left. The first time, also offer Callbacks."""
        rows, user = visit.rows, visit.user
        recent = await rows.asks.between(user.id, today.date - LOOK_BACK, ask.day)
        answers = [] if user.callbacks is False else await self._answers(visit)
        found = when_used_up(self._library.prompts, user, today, shown, recent=recent, answers=answers, seed=ask.id)
        if found.callback_line_id:
            await rows.asks.set_prompt(ask, None, visit.now, callback_line_id=found.callback_line_id)
            return CalledBack(ask.id, found.callback_line_id)
        put = await self._set_prompt(rows, ask, found.prompt, shown, visit.now)
        if not found.used_up:
            return put
        offers = user.callbacks is None and bool(answers)
        if offers:
            await rows.users.change(user, callbacks=False)
        return replace(put, used_up=True, offers_callbacks=offers)

    async def _answers(self, visit: Visit) -> list[Answered]:
        """Return the Lines that are old enough to be brought back and haven't been lately."""
        found = await visit.rows.lines.to_bring_back(
            visit.user.id, _BROUGHT_BACK, until=visit.now - OLD_ENOUGH, not_since=visit.now - NOT_AGAIN
        )
        return [Answered(line_id, prompt_id) for line_id, prompt_id in found]

    async def _may_bring_back(self, visit: Visit, line_id: int, *, paired: bool) -> bool:
        """Return whether a Line is still there, and answers a prompt that its user can still be asked."""
        line = await visit.rows.lines.find(visit.user.id, line_id)
        prompt = self._library.prompts.get(line.prompt_id or "") if line else None
        return prompt is not None and may_ask(prompt, visit.user, paired=paired)

    async def bring_back_lines(self, visit: Visit, ask_id: int, *, wanted: bool) -> Result:
        """Take the answer to the offer of Callbacks. After a yes, an open day brings back a Line at once."""
        user = await visit.rows.users.change(visit.user, callbacks=wanted)
        ask = await visit.rows.asks.find(user.id, ask_id)
        if ask is None or not ask.undecided or not ask.is_open_day:
            return OfferLeft()
        if not wanted:
            return Asked(ask.id, None, here=True, used_up=True)
        return replace(await self._asked(visit.as_user(user), ask), here=True)

    async def read_called_back(self, visit: Visit, result: CalledBack) -> Mapping[str, str]:
        line = await visit.rows.lines.find(visit.user.id, result.line_id)
        if line is None:
            return {}
        words = await visit.rows.lines.words_of(visit.user.id, [line.id])
        prompt = self._library.prompts.get(line.prompt_id or "")
        question = {"question": prompt.text} if prompt else {}
        return {"line": words[line.id], "line_day": line.day.isoformat(), **question}

    async def read_open_day(self, visit: Visit, result: Asked) -> Mapping[str, str]:
        """Return the open days up to the one that is shown, from which follows how it begins."""
        ask = await visit.rows.asks.find(visit.user.id, result.ask_id) if result.prompt_id is None else None
        if ask is None:
            return {}
        before = await visit.rows.asks.between(visit.user.id, ask.day - OPEN_DAYS, ask.day)
        days = [*sorted(each.day for each in before if each.is_open_day), ask.day]
        return {"open_days": " ".join(day.isoformat() for day in days)}

    async def _set_prompt(
        self, rows: Rows, ask: Ask, prompt: Prompt | None, shown: Mapping[str, datetime], now: datetime
    ) -> Asked:
        """Ask with this prompt, and say so if it was `shown` before."""
        prompt_id = prompt.id if prompt else None
        await rows.asks.set_prompt(ask, prompt_id, now)
        return Asked(ask.id, prompt_id, opening=AskOpening.AGAIN if prompt_id in shown else None)

    async def _swap(self, visit: Visit, ask_id: int, *, lighter: bool) -> Result:
        user = visit.user
        ask = await visit.rows.asks.find(user.id, ask_id)
        if ask is None or not ask.undecided:
            return _passed(ask)
        present = self._library.prompts.get(ask.prompt_id or "")
        depth = min(present.depth if present else DEPTH_AT_START, user.ceiling)
        if lighter:
            depth = max(DEPTH_AT_START, depth - 1)
            user = await visit.rows.users.change(user, depth=min(user.depth, depth), comfortable=0)
        shown, paired = await visit.rows.asks.shown(user.id), await _has_partner(visit)
        may_stay = present is not None and may_ask(present, user, paired=paired)
        seen = {**shown, present.id: visit.now} if present else shown
        today, seed = _today(visit, paired=paired), ask.id + len(shown)
        prompt = choose(self._library.prompts, user, today, seen, wanted=depth, deepest=depth, seed=seed)
        if prompt is None:
            rested = _RESTED if may_stay else timedelta()  # if this prompt can't stay, any other one will do
            prompt = oldest(self._library.prompts, user, today, seen, deepest=depth, rested=rested)
        if prompt is None:
            return NoOther(lighter=lighter)
        await self._open(visit.rows, ask, visit.now)
        return replace(await self._set_prompt(visit.rows, ask, prompt, shown, visit.now), here=True)


def _moved(planned: datetime | None, user: User) -> bool:
    """Return whether the next Ask is planned for a different moment than before."""
    return planned != user.next_ask_at


def _passed(ask: Ask | None) -> AskPassed:
    """Return why this Ask can no longer be changed."""
    return AskPassed(answered=ask is not None and ask.state is AskState.ANSWERED)


def _snoozed_until(when: Later, visit: Visit) -> datetime | None:
    """Return when an Ask comes back, at the latest _APART before the next Ask. None if it is too late for `when`.

    The caller makes sure that the next Ask is at least _APART away.
    """
    wanted = put_off_until(when, visit.now, visit.zone)
    return _before_the_next(wanted, visit.user) if wanted else None


def _before_the_next(wanted: datetime, user: User) -> datetime:
    return min(wanted, user.next_ask_at - _APART) if user.next_ask_at else wanted


def _not_put_off(ask: Ask, user: User, now: datetime) -> StaysOpen | None:
    """Return why we can't promise to bring back an open Ask; None if we can."""
    if user.paused_at:
        return StaysOpen(ask.id, None)
    is_near = user.next_ask_at is not None and user.next_ask_at - now <= _APART
    return StaysOpen(ask.id, user.next_ask_at) if is_near else None


def _held_until(ask: Ask, user: User, now: datetime) -> datetime:
    """Return when to send an Ask: now, or after quiet hours if it is late for its promised hour."""
    promised = ask.snoozed_until or ask.due_at
    return now if now - promised <= PUNCTUAL else free_at(user, now, asked_for=True)


def _today(visit: Visit, *, paired: bool) -> Today:
    zone = visit.zone
    date = local(visit.now, zone).date()
    return Today(visit.now, date, paired, calendars.weekend(zone), calendars.dark_months(zone))


async def _has_partner(visit: Visit) -> bool:
    """Return whether the user is in a Pair as far as they know, or says that they have a partner."""
    return visit.user.partnered or await visit.rows.pairs.looks_active_to(visit.user.id)
