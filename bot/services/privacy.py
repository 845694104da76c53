"""Users' control of their data: removing all of it."""

from datetime import datetime, timedelta
from typing import Final

from bot.domain.model import User
from bot.domain.results import Erased, EraseLeft, EraseWanted, Result
from bot.services.pairing import Pairing
from bot.services.visit import Visit
from bot.storage.endings import Ended
from bot.storage.store import Rows

_CONFIRM_WITHIN: Final = timedelta(hours=1)
"""How long the button that removes everything works, so that a later, accidental tap removes nothing."""


class Privacy:
    """Use cases around what is stored of a user."""

    def __init__(self, pairing: Pairing) -> None:
        self._pairing = pairing

    async def ask_erase(self, user: User | None, now: datetime) -> Result:
        return EraseWanted(now, nothing=user is None)

    async def erase_arrival(self, rows: Rows, user_id: int) -> bool:
        """Remove an export that waits for somebody who isn't a user. False if there is none."""
        if not await rows.arrivals.drop(user_id):
            return False
        rows.users.ends(Ended.ERASED, user_id)
        return True

    async def keep(self, user: User | None, now: datetime) -> Result:
        return EraseLeft() if user else await self.ask_erase(user, now)

    async def erase(self, rows: Rows, user: User | None, asked_at: datetime, now: datetime) -> Result:
        """Remove everything of this user. If we asked longer than _CONFIRM_WITHIN ago, we ask again.

        We also ask again if the question is from before they came back, as it was about the data they had then. To the
        partner it looks like any other end of the Pair: unopened Reflections are cancelled, they hear of it when they
        next try to share, and they keep what is theirs.
        """
        came = user.consented_at if user else None
        since = max(now - _CONFIRM_WITHIN, came.replace(microsecond=0)) if came else now - _CONFIRM_WITHIN
        if user is None or not since <= asked_at <= now:
            return await self.ask_erase(user, now)
        await self._pairing.leave(Visit(rows, user, now))
        await rows.exports.keep_for_others(user.id, now)
        await rows.reflections.forget_partner(user.id)
        await rows.inbox.forget_words_of(user.id)
        pending = await rows.traces.pending(user.id, now)
        await rows.users.erase(user.id)
        return Erased(tuple(sorted(pending)))
