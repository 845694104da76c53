"""After a restore: repeat the endings since the backup was made, and send nothing that may have ended."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from bot.domain.notices import NoticeKind
from bot.domain.sharing import Move, Reflection
from bot.library import Library
from bot.services.pairing import Pairing
from bot.services.privacy import Privacy
from bot.services.ritual import Rituals
from bot.services.sharing import Sharing
from bot.services.visit import Visit
from bot.storage.endings import Ended, Ending
from bot.storage.store import Rows, Store

_BATCH: Final = 500


class Endings:
    """The use cases for a restored database."""

    def __init__(self) -> None:
        nothing = Library.of([], [])
        sharing = Sharing(nothing)
        self._rituals = Rituals(sharing, nothing)
        self._pairing = Pairing(self._rituals.on_unpaired, sharing.on_unpaired)
        self._privacy = Privacy(self._pairing)

    async def apply(self, store: Store, endings: Sequence[Ending], now: datetime) -> int:
        """Repeat all of these endings in a database that nobody else uses. Return how many were still missing."""
        await self._forget_yeses(store, now)
        done = 0
        for kind in Ended:  # erasing a user also ends everything of theirs
            wanted = [ending for ending in endings if ending.kind is kind]
            last = None if wanted else 0
            while last != 0:
                async with store.writing() as rows:
                    ids = await rows.subjects(kind, last, _BATCH)
                    for subject_id, ending in rows.find_ended(ids, wanted):
                        await self._end(rows, kind, subject_id, ending, now)
                        done += 1
                last = ids[-1] if ids else 0
        return done

    async def require_new_yes(self, store: Store, now: datetime) -> int:
        """Hold every unopened Reflection until its sharer says yes again. Return how many there are.

        Each becomes a draft again, and we ask its sharer about it. One that was put in for the Ritual stays private.
        """
        await self._forget_yeses(store, now)
        async with store.writing() as rows:
            drafts = await rows.reflections.all_back_to_draft(now)
            await self._ask_again(rows, drafts, now)
        return len(drafts)

    async def _ask_again(self, rows: Rows, drafts: list[Reflection], now: datetime) -> None:
        await rows.notices.cancel_all(NoticeKind.REFLECTION, [about.id for about in drafts], now)
        await rows.notices.add([(each.user_id, NoticeKind.SHARE_AGAIN, each.id, now) for each in drafts], now)

    async def _forget_yeses(self, store: Store, now: datetime) -> None:
        """Drop every yes to an Invite. The guest may have taken it back since, so only a new yes counts."""
        async with store.writing() as rows:
            await rows.notices.cancel_all(NoticeKind.GUEST, await rows.invites.drop_accepted(), now)

    async def _end(self, rows: Rows, kind: Ended, subject_id: int, ending: Ending, now: datetime) -> None:
        match kind:
            case Ended.ERASED:
                await self._privacy.erase(rows, await rows.users.find(subject_id), now, now)
                await rows.arrivals.drop(subject_id)
                await rows.inbox.remove_all_of(subject_id)
            case Ended.UNPAIRED:
                await self._unpair(rows, subject_id, ending, now)
            case Ended.WITHDRAWN:
                await self._withdraw(rows, subject_id, now)
            case Ended.DELETED:
                await self._delete(rows, subject_id, now)
            case Ended.CHANGED:
                await self._ask_again(rows, await rows.reflections.back_to_draft(subject_id, now), now)
            case Ended.RITUAL:
                await self._end_ritual(rows, subject_id, now)

    async def _unpair(self, rows: Rows, pair_id: int, ending: Ending, now: datetime) -> None:
        for user_id in await rows.pairs.members(pair_id):
            if rows.is_ended(ending, 1, user_id) and (user := await rows.users.find(user_id)):
                await self._pairing.unpair(Visit(rows, user, now), pair_id)

    async def _end_ritual(self, rows: Rows, ritual_id: int, now: datetime) -> None:
        ritual = await rows.rituals.lock(ritual_id)
        if ritual and (pair := await rows.pairs.active(ritual.proposer_id)):
            await self._rituals.on_unpaired(rows, pair, now)

    async def _withdraw(self, rows: Rows, reflection_id: int, now: datetime) -> None:
        found = await rows.reflections.any(reflection_id)
        if found and await rows.reflections.move(found, Move.WITHDRAW) is None:
            await rows.reflections.drop_draft(found)
        await rows.notices.cancel(NoticeKind.REFLECTION, reflection_id, now)

    async def _delete(self, rows: Rows, line_id: int, now: datetime) -> None:
        await rows.notices.cancel_all(NoticeKind.REFLECTION, await rows.reflections.line_deleted(line_id), now)
        if line := await rows.lines.any(line_id):
            await rows.lines.delete(line)
            if line.ask_id and await rows.lines.of_ask(line.user_id, line.ask_id) is None:
                await rows.asks.unanswer(line.ask_id)
