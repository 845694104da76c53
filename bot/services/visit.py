"""Visit: who acts, when, and in which transaction."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from bot.domain.model import User
from bot.domain.notices import Notice, NoticeKind
from bot.domain.results import Result
from bot.storage.store import Rows


@dataclass(frozen=True, slots=True)
class Visit:
    """The first argument of every use case: its transaction, the user it is for, and the moment."""

    rows: Rows
    user: User
    now: datetime

    @property
    def zone(self) -> str:
        """The user's time zone; UTC until they have told us theirs."""
        return self.user.zone or "UTC"

    def as_user(self, user: User) -> Self:
        """Return the same moment in the same transaction, for another user or the changed one."""
        return replace(self, user=user)


NoticeHandler = Callable[[Visit, Notice], Awaitable[Result | None]]
"""Decides from the current facts what to say about a Notice.

Returns None if there is nothing left to say, or if it was put off (`visit.rows.notices.put_off`).
"""
NoticeHandlers = Mapping[NoticeKind, NoticeHandler]
"""What handles the Notices of a service, in its attribute `notice_handlers`."""
