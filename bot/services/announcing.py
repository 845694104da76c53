"""Announcing: a receiver is told that there is something, and nothing of what is in it. Never the sharer's business.

Several at a time are one message, and what was taken back leaves a rest behind it: how often somebody's phone lights up
is nothing that the other one could play on.
"""

from datetime import datetime
from typing import Final

from bot.domain.model import Notice, NoticeKind, Pair
from bot.domain.notices import free_at
from bot.domain.results import Result
from bot.domain.results.receiving import Announced, AnnouncedTogether
from bot.domain.sharing import AFTER_TAKEN_BACK, Move, Reflection, moment_to_announce
from bot.services.visit import Visit
from bot.storage.ids import timeless_id
from bot.storage.store import Rows

_LISTED: Final = 10


class Announcing:
    """What the Notices of Reflections have to say."""

    async def announce(self, visit: Visit, notice: Notice) -> Result | None:
        """That there is this Reflection. Put off while it can't be said, or where others come along with it.

        Nothing of that reaches the sharer: neither quiet hours nor a pause, nor that the bot was blocked.
        """
        pair = await visit.rows.pairs.active(visit.user.id)
        found = await visit.rows.reflections.unopened(visit.user.id, pair.id, [notice.subject_id]) if pair else []
        if pair is None or not found:
            return None
        (reflection,) = found
        free = free_at(visit.user, max(reflection.wanted_at or visit.now, visit.now))
        if free > visit.now:
            await visit.rows.notices.suspend(notice, free)
            return None
        if reflection.ritual or notice.unclear:  # once more, where it may have arrived: as it was
            return await self._alone(visit.rows, reflection, visit.now)
        others = await self._others(visit, pair, but=reflection)
        if reflection.announced_at is None:
            moment = await self._moment(visit, pair, reflection, others)
            if moment > visit.now:
                await visit.rows.notices.put_off(notice, moment)
                return None
        ready = [reflection, *_ready(others, visit.now)]
        under_way = await visit.rows.notices.unsaid(visit.user.id, NoticeKind.ANNOUNCEMENT)
        if len(ready) == 1 and not under_way:
            return await self._alone(visit.rows, reflection, visit.now)
        announcement_id = next(iter(under_way), None) or timeless_id()
        await self._join(visit.rows, ready, announcement_id, visit.now)
        if not under_way:  # the message has a Notice of its own: none of these can take the others along
            await visit.rows.notices.add(
                [(visit.user.id, NoticeKind.ANNOUNCEMENT, announcement_id, visit.now)], visit.now
            )
        return None

    async def announce_together(self, visit: Visit, notice: Notice) -> Result | None:
        """That there are these, as far as they are still closed and not taken back, and what else is to be said now."""
        pair = await visit.rows.pairs.active(visit.user.id)
        if pair is None:
            return None
        free = free_at(visit.user, visit.now)
        if free > visit.now:
            await visit.rows.notices.suspend(notice, free)
            return None
        if not notice.unclear:
            await self._join(
                visit.rows, _ready(await self._others(visit, pair), visit.now), notice.subject_id, visit.now
            )
        found = await visit.rows.reflections.announced_in(visit.user.id, pair.id, notice.subject_id)
        if not found:
            return None
        return announced(notice.subject_id, found)

    async def _alone(self, rows: Rows, reflection: Reflection, now: datetime) -> Result | None:
        facts = {"announced_at": reflection.announced_at or now, "announcement_id": None}
        moved = await rows.reflections.move(reflection, Move.ANNOUNCE, **facts)
        return Announced(reflection.id) if moved else None

    async def _join(self, rows: Rows, ready: list[Reflection], announcement_id: int, now: datetime) -> None:
        """Let these be said in that message, and not by themselves."""
        joined = await rows.reflections.announce([one.id for one in ready], now, announcement_id)
        await rows.notices.cancel_all(NoticeKind.REFLECTION, joined, now)

    async def _others(self, visit: Visit, pair: Pair, but: Reflection | None = None) -> list[Reflection]:
        """What is still to be announced, at whatever time; a Ritual's moment has its own messages."""
        unsaid = await visit.rows.notices.unsaid(visit.user.id, NoticeKind.REFLECTION)
        found = await visit.rows.reflections.unopened(visit.user.id, pair.id, unsaid)
        return [other for other in found if not other.ritual and other != but]

    async def _moment(self, visit: Visit, pair: Pair, reflection: Reflection, others: list[Reflection]) -> datetime:
        times = [other.wanted_at for other in others if other.wanted_at]
        coming = [moment for moment in times if free_at(visit.user, moment) == moment]
        before = await visit.rows.reflections.announced_since(visit.user.id, pair.id, visit.now - AFTER_TAKEN_BACK)
        return moment_to_announce(visit.now, free_at(visit.user, reflection.due_at or visit.now), coming, before)


def announced(announcement_id: int, found: list[Reflection], *, here: bool = False) -> Result:
    """What is said of these, which an announcement has named: of a single one as if it had been alone."""
    if len(found) == 1:
        return Announced(found[0].id, here=here)
    shown = tuple(one.id for one in found[:_LISTED])
    return AnnouncedTogether(announcement_id, shown, len(found) - len(shown), here=here)


def _ready(others: list[Reflection], now: datetime) -> list[Reflection]:
    return [other for other in others if other.wanted_at and other.wanted_at <= now]
