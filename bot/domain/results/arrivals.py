"""Results about an export from another bot."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class ArrivalOffered(Result):
    """Asks somebody who has just agreed whether to take in the export that was imported for them."""

    kind: ClassVar = "ArrivalOffered"

    failed: bool = False
    """Whether we tried to take it in and couldn't."""


@dataclass(frozen=True, slots=True)
class ArrivalUnderWay(Result):
    """The export is being taken in. We handle none of its owner's other updates until that is done."""

    kind: ClassVar = "ArrivalUnderWay"


@dataclass(frozen=True, slots=True)
class ArrivalTaken(Result):
    """Everything of the export is here, and the start is done."""

    kind: ClassVar = "ArrivalTaken"

    first_at: datetime
    """When the next question comes, if one does."""
