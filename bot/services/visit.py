"""Which user acts, when, and in which transaction."""

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
    """What every use case is given: its transaction, the user it is for, and the moment."""

    rows: Rows
    user: User
    now: datetime

    @property
    def zone(self) -> str:
        """The user's time zone; UTC until they have told us theirs."""
        return self.user.zone or "UTC"

    def as_user(self, user: User) -> Self:
        """Return the same moment in the same transaction, for another user or for one whose facts have changed."""
        return replace(self, user=user)


Speaker = Callable[[Visit, Notice], Awaitable[Result | None]]
"""Decides from the current facts what there is to say about a Notice.

Returns None if there is nothing any more, or if it was put off (`visit.rows.notices.put_off`).
"""
Speakers = Mapping[NoticeKind, Speaker]
"""What a service says on its own, in its attribute `speakers`."""
