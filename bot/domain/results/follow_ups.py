"""Results about the sharer's one line to a question that came back."""

from dataclasses import dataclass
from typing import ClassVar

from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class FollowUpWanted(Result):
    """The sharer is to type one line."""

    kind: ClassVar = "FollowUpWanted"

    response_id: int
    too_long: bool = False
    draft_id: int | None = None


@dataclass(frozen=True, slots=True)
class FollowUpPreview(Result):
    """The Follow-up waits for a yes."""

    kind: ClassVar = "FollowUpPreview"

    follow_up_id: int
    response_id: int


@dataclass(frozen=True, slots=True)
class FollowUpSent(Result):
    """The Follow-up goes out in half a minute."""

    kind: ClassVar = "FollowUpSent"

    follow_up_id: int


@dataclass(frozen=True, slots=True)
class FollowUpReceived(Result):
    """The sharer's answer to the receiver's question."""

    kind: ClassVar = "FollowUpReceived"

    follow_up_id: int
    question: str
