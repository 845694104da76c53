"""The start: consent, the first question, the hour, the clock. A user can leave and resume it at any point."""

from datetime import datetime, time

from bot.domain.hours import parse_hour
from bot.domain.model import Ask, Dialog, Draft, DraftReason, Step, User, Waiting
from bot.domain.results import (
    Asked,
    ClockWanted,
    ConsentWanted,
    HourOrLine,
    HourWanted,
    Outdated,
    Paused,
    Ready,
    Result,
)
from bot.domain.results.arrivals import ArrivalOffered
from bot.domain.results.privacy import ConsentAgain
from bot.domain.times import local_date
from bot.domain.typed import fold_line
from bot.services.asks import Asks
from bot.services.lines import PATIENCE
from bot.services.pairing import Pairing
from bot.services.planning import place, replan
from bot.services.visit import Visit
from bot.storage.store import Rows


async def next_step(rows: Rows, user: User | None, now: datetime, *, again: bool = False) -> Result:
    """Return the next step of the start, or that everything is done."""
    step = user.step if user else Step.CONSENT
    if user and step is Step.CONSENT:
        return ConsentAgain(withdrawn=user.consented_at is None)
    if user is None:
        return ConsentWanted()
    if step is Step.HOUR:
        return await _question_or_hour(rows, user, now)
    if step is Step.ZONE:
        return ClockWanted()
    if user.paused_at:
        return Paused(user.next_ask_at, already=True)
    return Ready(user.next_ask_at or now, again=again)


async def _question_or_hour(rows: Rows, user: User, now: datetime) -> Result:
    ask = await rows.asks.latest(user.id)
    if ask is None and await rows.arrivals.waits(user.id):
        return ArrivalOffered()
    if ask is None or not ask.undecided:
        return HourWanted(begun=ask is not None)
    shown_by = await rows.asks.newest_message(user.id, ask.id)
    await rows.asks.reopen(ask, ask.state, shown_at=now)
    return Asked(ask.id, ask.prompt_id, stale=(shown_by,) if shown_by else ())


class Start:
    """Use cases of users who are setting up."""

    def __init__(self, asks: Asks, pairing: Pairing) -> None:
        self._asks = asks
        self._pairing = pairing

    async def consent(self, rows: Rows, user: User | None, user_id: int, language: str, now: datetime) -> Result:
        """Record that the user is 18 or older and agrees, and ask the first question. Before this we store nothing."""
        if user:
            return await next_step(rows, user, now)
        visit = Visit(rows, await rows.users.add(user_id, language, now), now)
        return ArrivalOffered() if await rows.arrivals.waits(user_id) else await self.begin(visit)

    async def begin(self, visit: Visit) -> Result:
        """Ask the first question of somebody who has agreed."""
        return await self._asks.ask_first(visit)

    async def hour_first(self, visit: Visit) -> Result:
        """Leave the first question open for now, and ask for the hour."""
        if visit.user.step is Step.HOUR:
            return await self.hour(visit)
        return await next_step(visit.rows, visit.user, visit.now)

    async def hour(self, visit: Visit, *, typed: bool = False, unclear: bool = False) -> HourWanted:
        """Ask for the hour. It can be tapped or typed."""
        await visit.rows.dialogs.await_(visit.user.id, Dialog(Waiting.HOUR, 0, visit.now + PATIENCE))
        ask = await visit.rows.asks.latest(visit.user.id)
        return HourWanted(typed=typed, unclear=unclear, begun=ask is not None and not ask.undecided)

    async def hour_or_line(self, visit: Visit, words: str, message_id: int) -> Result:
        """Set aside a time of day that was typed below the first question, and ask what it is."""
        ask = await visit.rows.asks.latest(visit.user.id)
        draft = Draft(0, visit.user.id, DraftReason.UNASKED, fold_line(words), message_id, ask.id if ask else None)
        return HourOrLine((await visit.rows.drafts.set_aside(draft, visit.now)).id)

    async def meant_as_hour(self, visit: Visit, draft_id: int) -> Result:
        """Use as the hour the time that was typed below the first question."""
        draft = await visit.rows.drafts.find(visit.user.id, draft_id)
        if draft is None:
            return Outdated()
        await visit.rows.drafts.drop(draft)
        if visit.user.step is not Step.HOUR:
            return await next_step(visit.rows, visit.user, visit.now)
        at = parse_hour(draft.text)
        return await self.set_hour(visit, at) if at else await self.hour(visit, typed=True, unclear=True)

    async def set_hour(self, visit: Visit, at: time) -> Result:
        await visit.rows.dialogs.forget(visit.user.id)
        return await next_step(visit.rows, await replan(visit, ask_at=at), visit.now)

    async def settle_zone(self, visit: Visit, zone: str) -> Result:
        """Set the zone, and with it the local date of the first question; the start is then done."""
        ask = await visit.rows.asks.latest(visit.user.id)
        if ask is None:  # an earlier version asked for hour and clock first
            user = await replan(visit, zone=zone)
        else:
            day = local_date(await _begun_at(visit, ask), zone)
            await visit.rows.asks.settle_day(ask.id, day)
            await visit.rows.lines.settle_days(visit.user.id, lambda kept_at: local_date(kept_at, zone))
            user = await place(visit, zone, day, is_open=ask.undecided)
        ready = Ready(user.next_ask_at or visit.now, begun=ask is not None and not ask.undecided)
        return await self._pairing.after_start(visit.as_user(user), ready)


async def _begun_at(visit: Visit, ask: Ask) -> datetime:
    """Return when the first question was answered, or else when it was last asked."""
    line = await visit.rows.lines.of_ask(visit.user.id, ask.id)
    kept_at = await visit.rows.lines.kept_at(line) if line else None
    return kept_at or ask.shown_at or ask.due_at
