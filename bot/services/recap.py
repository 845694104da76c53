"""The recap: the words of the last eight weeks, for their user alone."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from bot.domain.feelings import pack
from bot.domain.notices import Notice, NoticeKind
from bot.domain.recap import WEEKS, by_week, kept_lately, put_off_until
from bot.domain.results import Result
from bot.domain.results.recap import RecapShown, RecapStopped
from bot.domain.times import local_date
from bot.services.visit import NoticeHandlers, Visit

_LOOKS_BACK: Final = timedelta(weeks=WEEKS, days=1)
"""One day more than eight weeks, since a local date can begin up to a day before it does in UTC."""


class Recaps:
    """The use cases of the weekly recap and /recap."""

    def __init__(self) -> None:
        self.notice_handlers: NoticeHandlers = {NoticeKind.RECAP: self.deliver}

    async def show(self, _visit: Visit) -> Result:
        """Show the recap on request."""
        return RecapShown()

    async def deliver(self, visit: Visit, notice: Notice) -> Result | None:
        """Show the weekly recap after a week in which the user kept a Line; otherwise there is nothing to look back at.

        The next one is planned with the next Ask.
        """
        at = put_off_until(visit.user, visit.now)
        if at is None:
            return None
        if at > visit.now:
            await visit.rows.notices.put_off(notice, at)
            return None
        newest = await visit.rows.lines.page(visit.user.id, None, 1)
        if not newest or not kept_lately(newest[0].day, local_date(visit.now, visit.zone)):
            return None
        return RecapShown(by_itself=True, first=visit.user.weekly_recap is None)

    async def stop(self, visit: Visit) -> Result:
        """Turn the weekly recap off."""
        await visit.rows.users.change(visit.user, weekly_recap=False)
        return RecapStopped()

    async def read(self, visit: Visit, _: RecapShown) -> Mapping[str, str]:
        words = await visit.rows.lines.feelings_since(visit.user.id, visit.now - _LOOKS_BACK)
        weeks = by_week(words, local_date(visit.now, visit.zone))
        return {"weeks": json.dumps([[first.isoformat(), pack(feelings)] for first, feelings in weeks.items()])}
