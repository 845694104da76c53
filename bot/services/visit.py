"""Which user acts, when, and in which transaction."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from bot.domain.model import User
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
