"""Announcing: telling a receiver that a Reflection has come, without revealing anything in it or telling the sharer.

Several Reflections at a time are announced in one message, and after one that was taken back we announce nothing for a
while, so that nobody can use sharing to make their partner's phone light up.
"""

from datetime import datetime
from typing import Final

from bot.domain.model import Pair
from bot.domain.notices import Notice, NoticeKind, free_at
from bot.domain.results import Result
from bot.domain.results.receiving import Announced, AnnouncedTogether
from bot.domain.sharing import AFTER_TAKEN_BACK, Move, Reflection, moment_to_announce
from bot.services.visit import NoticeHandlers, Visit
from bot.storage.ids import timeless_id
from bot.storage.store import Rows

_LISTED: Final = 10


class Announcing:
    """Produces the messages for Notices about Reflections."""

    def __init__(self) -> None:
        self.notice_handlers: NoticeHandlers = {
            NoticeKind.REFLECTION: self.announce,
            NoticeKind.ANNOUNCEMENT: self.announce_together,
        }

    async def announce(self, visit: Visit, notice: Notice) -> Result | None:
        """Announce the Reflection; put it off while we can't tell the receiver, or to announce others with it.

        The sharer can't notice the delay, whether it comes from quiet hours, a pause, or a receiver who has blocked the
        bot.
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
        if reflection.ritual or notice.unclear:  # one that may have arrived is repeated as it was
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
        if not under_way:  # the shared message has a Notice of its own, since none of these can stand for the others
            await visit.rows.notices.add(
                [(visit.user.id, NoticeKind.ANNOUNCEMENT, announcement_id, visit.now)], visit.now
            )
        return None

    async def announce_together(self, visit: Visit, notice: Notice) -> Result | None:
        """Announce these Reflections as one, except those opened or taken back, plus any others that are due by now."""
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
        return Announced(reflection.id, ritual=reflection.ritual) if moved else None

    async def _join(self, rows: Rows, ready: list[Reflection], announcement_id: int, now: datetime) -> None:
        """Let one message announce these Reflections, rather than one each."""
        joined = await rows.reflections.announce([one.id for one in ready], now, announcement_id)
        await rows.notices.cancel_all(NoticeKind.REFLECTION, joined, now)

    async def _others(self, visit: Visit, pair: Pair, but: Reflection | None = None) -> list[Reflection]:
        """Return all Reflections still to be announced, except those of a Ritual, which has its own messages."""
        unsaid = await visit.rows.notices.unsaid(visit.user.id, NoticeKind.REFLECTION)
        found = await visit.rows.reflections.unopened(visit.user.id, pair.id, unsaid)
        return [other for other in found if not other.ritual and other != but]

    async def _moment(self, visit: Visit, pair: Pair, reflection: Reflection, others: list[Reflection]) -> datetime:
        times = [other.wanted_at for other in others if other.wanted_at]
        coming = [moment for moment in times if free_at(visit.user, moment) == moment]
        before = await visit.rows.reflections.announced_since(visit.user.id, pair.id, visit.now - AFTER_TAKEN_BACK)
        return moment_to_announce(visit.now, free_at(visit.user, reflection.due_at or visit.now), coming, before)


def announced(announcement_id: int, found: list[Reflection], *, here: bool = False) -> Result:
    """Return the Result for the Reflections of an announcement; a single one looks as if it had come alone."""
    if len(found) == 1:
        return Announced(found[0].id, here=here, ritual=found[0].ritual)
    shown = tuple(one.id for one in found[:_LISTED])
    return AnnouncedTogether(announcement_id, shown, len(found) - len(shown), here=here)


def _ready(others: list[Reflection], now: datetime) -> list[Reflection]:
    return [other for other in others if other.wanted_at and other.wanted_at <= now]
