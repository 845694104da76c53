"""The Ask: planned when due, put to the user, swapped, put off, skipped."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.domain.content import Prompt
from bot.domain.model import DEPTH_AT_START, Ask, AskState, Notice, NoticeKind, User
from bot.domain.prompts import choose, choose_or_repeat, plan
from bot.domain.results import (
    Asked,
    AskPassed,
    LaterWanted,
    NoOther,
    Result,
    Skipped,
    Snoozed,
    TodayAnswered,
)
from bot.domain.times import NIGHT_ENDS, local, next_slot, tomorrow_morning, tonight
from bot.library import Library
from bot.storage.ids import new_id
from bot.storage.store import Rows, Store

_SOON: Final = timedelta(hours=1)
_BATCH: Final = 100
"""Users planned in one transaction: few enough that nobody who taps a button meanwhile waits for it."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What one look for due Asks came to."""

    looked_at: int
    asked: int
    missed: int


class Prompts:
    """Use cases around the Ask."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._all = tuple(library.prompts.values())

    async def plan_due(self, store: Store, now: datetime) -> Planned:
        """Plan up to _BATCH users whose hour has come: an Ask and its Notice for each, and the next hour.

        Which prompt an Ask puts is chosen when it is sent, by what its user then allows.
        """
        async with store.writing() as rows:
            users = await rows.users.due(now, _BATCH)
            plans = [(user, plan(user, now)) for user in users]
            asks = [
                Ask(new_id(now), user.id, slot.day, state, slot.at)
                for user, planned in plans
                for slot, state in (
                    *((missed, AskState.MISSED) for missed in planned.missed),
                    *([(planned.asked, AskState.DUE)] if planned.asked else []),
                )
            ]
            await rows.users.move_on(
                [
                    {
                        "user_id": user.id,
                        "next_ask_at": planned.following.at,
                        "next_ask_day": planned.following.day,
                        "last_day": planned.last_day,
                    }
                    for user, planned in plans
                ]
            )
            added = await rows.asks.add(asks)
            due = [ask for ask in asks if ask.state is AskState.DUE and ask.id in added]
            await rows.notices.add([(ask.user_id, NoticeKind.ASK, ask.id, now) for ask in due], now)
        return Planned(len(users), len(due), len(asks) - len(due))

    async def today(self, rows: Rows, user: User, now: datetime) -> Result:
        """Today's Ask, now: the one that is there, or the scheduled one before its hour."""
        zone = _zone(user)
        ask = await rows.asks.latest(user.id)
        here = local(now, zone)
        if ask and ask.day < here.date() and not (ask.undecided and here.time() < NIGHT_ENDS):
            ask = None
        if ask is None:
            return await self._ask_now(rows, user, now)
        if ask.state is AskState.ANSWERED:
            return TodayAnswered(user.next_ask_at)
        return await self.bring_back(rows, user, ask.id, now, here=False)

    async def bring_back(self, rows: Rows, user: User, ask_id: int, now: datetime, *, here: bool = True) -> Result:
        """Put an Ask again that was skipped, put off or left, as long as no later one was asked."""
        ask = await rows.asks.find(user.id, ask_id)
        latest = await rows.asks.latest(user.id)
        if ask is None or latest is None or latest.id != ask.id or not await self._open(rows, ask, now):
            return AskPassed()
        prompt = self._library.prompts.get(ask.prompt_id or "") or await self._first_prompt(rows, user, ask, now)
        return Asked(ask.id, prompt.id, here=here)

    async def another(self, rows: Rows, user: User, ask_id: int, now: datetime) -> Result:
        """Swap the prompt for one of another theme."""
        return await self._swap(rows, user, ask_id, now, lighter=False)

    async def lighter(self, rows: Rows, user: User, ask_id: int, now: datetime) -> Result:
        """Swap the prompt for a lighter one, and step down privately: "too deep" always works and costs nothing."""
        return await self._swap(rows, user, ask_id, now, lighter=True)

    async def later(self, rows: Rows, user: User, ask_id: int, now: datetime) -> Result:
        ask = await rows.asks.find(user.id, ask_id)
        if ask is None or not ask.undecided:
            return AskPassed()
        return LaterWanted(ask.id, tonight=tonight(now, _zone(user)) is not None)

    async def snooze(self, rows: Rows, user: User, ask_id: int, when: str, now: datetime) -> Result:
        """Put the same Ask off until `when`: "hour", "tonight" or "morning"."""
        until = _snoozed_until(when, now, _zone(user))
        ask = await rows.asks.find(user.id, ask_id)
        if until is None or ask is None:
            return AskPassed()
        if not await rows.asks.decide(ask, AskState.SNOOZED, snoozed_until=until):
            return AskPassed()
        await rows.notices.cancel(NoticeKind.ASK, ask.id, now)
        await rows.notices.add([(user.id, NoticeKind.ASK, ask.id, until)], now)
        return Snoozed(ask.id, until)

    async def skip(self, rows: Rows, user: User, ask_id: int, now: datetime) -> Result:
        ask = await rows.asks.find(user.id, ask_id)
        if ask is None or not await rows.asks.decide(ask, AskState.SKIPPED):
            return AskPassed()
        await rows.notices.cancel(NoticeKind.ASK, ask.id, now)
        return Skipped(ask.id)

    async def put(self, rows: Rows, user: User, notice: Notice, now: datetime) -> Asked | None:
        """What the Notice of an Ask has to say at `now`; None where it has become needless."""
        ask = await rows.asks.find(user.id, notice.subject_id)
        if ask is None or not ask.undecided:
            return None
        if not user.reachable:
            await rows.asks.decide(ask, AskState.LEFT)
            return None
        await rows.asks.reopen(ask, AskState.OPEN, snoozed_until=None, shown_at=now)
        await rows.asks.leave_others(ask)
        prompt = self._library.prompts.get(ask.prompt_id or "") or await self._first_prompt(rows, user, ask, now)
        return Asked(ask.id, prompt.id)

    async def _ask_now(self, rows: Rows, user: User, now: datetime) -> Result:
        zone = _zone(user)
        day = local(now, zone).date()
        ask = Ask(new_id(now), user.id, day, AskState.OPEN, now)
        if not await rows.asks.add([ask]):
            return AskPassed()
        following = next_slot(now, user.ask_at, zone, last_day=day) if user.reachable and user.ask_at else None
        user = await rows.users.change(
            user,
            last_day=day,
            next_ask_at=following.at if following else None,
            next_ask_day=following.day if following else None,
        )
        await rows.asks.leave_others(ask)
        return Asked(ask.id, (await self._first_prompt(rows, user, ask, now)).id)

    async def _open(self, rows: Rows, ask: Ask, now: datetime) -> bool:
        """Make this the Ask that the next text answers; what was still to be sent about it is sent by this."""
        if not await rows.asks.reopen(ask, AskState.OPEN, snoozed_until=None, shown_at=now):
            return False
        await rows.notices.cancel(NoticeKind.ASK, ask.id, now)
        await rows.asks.leave_others(ask)
        return True

    async def _first_prompt(self, rows: Rows, user: User, ask: Ask, now: datetime) -> Prompt:
        shown = await rows.asks.shown(user.id)
        prompt = choose_or_repeat(
            self._all,
            depth=min(user.depth, user.ceiling),
            ceiling=user.ceiling,
            shown=shown,
            now=now,
            seed=ask.id,
        )
        await rows.asks.put(ask, prompt.id, now)
        return prompt

    async def _swap(self, rows: Rows, user: User, ask_id: int, now: datetime, *, lighter: bool) -> Result:
        ask = await rows.asks.find(user.id, ask_id)
        if ask is None or not ask.undecided:
            return AskPassed()
        shown = await rows.asks.shown(user.id)
        depth = self._depth_of(ask)
        if lighter:
            depth = max(DEPTH_AT_START, depth - 1)
            await rows.users.change(user, depth=min(user.depth, depth))
        prompt = self._other(ask, depth, shown, now)
        if prompt is None:
            return NoOther(lighter=lighter)
        await self._open(rows, ask, now)
        await rows.asks.put(ask, prompt.id, now)
        return Asked(ask.id, prompt.id, here=True)

    def _other(self, ask: Ask, depth: int, shown: Mapping[str, datetime], now: datetime) -> Prompt | None:
        return choose(self._all, depth=depth, shown=shown, now=now, seed=ask.id + len(shown))

    def _depth_of(self, ask: Ask) -> int:
        prompt = self._library.prompts.get(ask.prompt_id or "")
        return prompt.depth if prompt else DEPTH_AT_START


def _snoozed_until(when: str, now: datetime, zone: str) -> datetime | None:
    if when == "hour":
        return now + _SOON
    return tonight(now, zone) if when == "tonight" else tomorrow_morning(now, zone)


def _zone(user: User) -> str:
    if user.zone is None:
        raise ValueError("the user has no zone yet")
    return user.zone
