"""Removes what is only kept for a while."""

from datetime import timedelta
from typing import Final

import structlog

from bot.clock import Clock
from bot.domain.pairing import DOOR_SHUT
from bot.domain.ritual import PROPOSAL_VALID_FOR
from bot.domain.sharing import DRAFTS_LAPSE, ENDED_KEPT
from bot.services.lines import DRAFTS_KEPT
from bot.services.moving import ARRIVALS_KEPT
from bot.storage.backlog import TIDIED
from bot.storage.store import Store
from bot.storage.traces import DELETABLE

UPDATES_KEPT: Final = timedelta(hours=25)
"""An hour longer than Telegram repeats an update."""
NOTICES_KEPT: Final = timedelta(days=7)
ASIDES_KEPT: Final = timedelta(days=30)
"""How long the files that a restore put aside can be put back."""
QUESTIONS_KEPT: Final = timedelta(days=30)
"""How long a question can be looked up after its reminder, which a pause may have held back."""
ENDINGS_KEPT: Final = timedelta(days=366)
"""For how long a backup can be restored without bringing back what ended after it; deploy/README.md promises this."""

log = structlog.stdlib.get_logger(__name__)


class Housekeeping:
    """Tidies up, every hour."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def tidy(self) -> None:
        now = self._clock.now()
        async with self._store.writing() as rows:
            await rows.inbox.forget_before(now - UPDATES_KEPT)
            await rows.notices.forget_before(now - NOTICES_KEPT)
            await rows.traces.forget_before(now - DELETABLE)
            await rows.rituals.forget_before(now - PROPOSAL_VALID_FOR)
            await rows.invites.forget_before(now - DOOR_SHUT, now - 2 * DOOR_SHUT)
            await rows.arrivals.drop_before(now - ARRIVALS_KEPT)
            await rows.questions.drop_before(now - QUESTIONS_KEPT)
            dropped = await rows.drafts.drop_before(now - DRAFTS_KEPT)
            dropped += await rows.reflections.tidy(now - DRAFTS_LAPSE, now - ENDED_KEPT)
        await self._store.sweep()
        await self._store.remove_asides(before=now - ASIDES_KEPT)
        await self._store.tidy_journal(now.date(), (now - ENDINGS_KEPT).date())
        async with self._store.writing() as rows:
            await rows.take_note(TIDIED, now.isoformat(timespec="seconds"))
        log.info("house.tidied", texts_dropped=dropped)
