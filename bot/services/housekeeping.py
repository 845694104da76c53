"""Removes rows and files that we only keep for a while."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import structlog

from bot.clock import Clock
from bot.domain.pairing import LOCKED_FOR
from bot.domain.ritual import PROPOSAL_VALID_FOR
from bot.domain.sharing import DRAFTS_LAPSE, ENDED_KEPT
from bot.services.arrivals import ARRIVALS_KEPT
from bot.services.lines import DRAFTS_KEPT
from bot.storage.backlog import TIDIED
from bot.storage.store import Rows, Store
from bot.storage.traces import DELETABLE

UPDATES_KEPT: Final = timedelta(hours=25)
"""An hour longer than Telegram goes on repeating an update."""
NOTICES_KEPT: Final = timedelta(days=7)
ASIDES_KEPT: Final = timedelta(days=30)
"""For how long we keep the files that a restore put aside."""
MESSAGES_KEPT: Final = timedelta(days=60)
"""For how long we recognise a reply to the message of a question. The messages of a user's latest Ask stay longer."""
ASKS_KEPT: Final = timedelta(days=400)
"""How long we keep an Ask that its user didn't answer: for a year we need to know which Lines were brought back."""
_AT_ONCE: Final = 1000
"""How many rows we remove in one transaction."""
QUESTIONS_KEPT: Final = timedelta(days=30)
"""How long a kept question stays after its reminder is due, which a pause may hold back."""
ENDINGS_KEPT: Final = timedelta(days=366)
"""How old a backup can be and still be restored without undoing later endings; deploy/README.md promises this."""

log = structlog.stdlib.get_logger(__name__)


class Housekeeping:
    """Tidies up, every hour."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def tidy(self) -> None:
        now = self._clock.now()
        await self._forget(lambda rows: rows.inbox.forget_before(now - UPDATES_KEPT, _AT_ONCE))
        await self._forget(lambda rows: rows.notices.forget_before(now - NOTICES_KEPT, _AT_ONCE))
        await self._forget(lambda rows: rows.traces.forget_before(now - DELETABLE, _AT_ONCE))
        await self._store.tidy_asks(now.date(), messages_kept=MESSAGES_KEPT, asks_kept=ASKS_KEPT)
        async with self._store.writing() as rows:
            await rows.rituals.forget_before(now - PROPOSAL_VALID_FOR)
            await rows.invites.forget_before(now - LOCKED_FOR, now - 2 * LOCKED_FOR)
            await rows.arrivals.drop_before(now - ARRIVALS_KEPT)
            await rows.questions.drop_before(now - QUESTIONS_KEPT)
            dropped = await rows.drafts.drop_before(now - DRAFTS_KEPT)
            dropped += await rows.reflections.tidy(now - DRAFTS_LAPSE, now - ENDED_KEPT)
        await self._store.sweep()
        await self._store.remove_asides(before=now - ASIDES_KEPT)
        await self._store.tidy_journal(now.date(), (now - ENDINGS_KEPT).date())
        async with self._store.writing() as rows:
            await rows.take_note(TIDIED, now.isoformat(timespec="seconds"))
        log.info("database.tidied", texts_dropped=dropped)

    async def _forget(self, forget_some: Callable[[Rows], Awaitable[int]]) -> None:
        """Remove rows from a large table in small transactions, so that nobody waits for long."""
        removed = _AT_ONCE
        while removed == _AT_ONCE:
            async with self._store.writing() as rows:
                removed = await forget_some(rows)
