"""Results about Responses: the one that came back to the sharer, and how it landed."""

from dataclasses import dataclass
from typing import ClassVar

from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class ResponseReceived(Result):
    """The Response that the receiver chose to send; asks how it landed."""

    kind: ClassVar = "ResponseHeard"

    response_id: int
    reflection_id: int
    answer: str
    landed: bool = False
    """Whether that question has already been answered."""
    beside: bool = False
    """Whether the sharer looked it up from a message that keeps its buttons."""


@dataclass(frozen=True, slots=True)
class LandedWell(Result):
    kind: ClassVar = "LandedWell"

    stays: bool = False
    """Whether the message of the Response keeps its buttons, since they lead to more than this."""


@dataclass(frozen=True, slots=True)
class LandedBadly(Result):
    """The Response did not land well; the sharer decides what to do about that."""

    kind: ClassVar = "LandedBadly"

    lighter: bool
    """Whether the questions get one step lighter; they can't if they are already the lightest."""
    stays: bool = False
    """Whether the message of the Response keeps its buttons, since they lead to more than this."""


@dataclass(frozen=True, slots=True)
class LandedWorry(Result):
    """Where to turn if a Response that landed badly is more than clumsy."""

    kind: ClassVar = "LandedWorry"
