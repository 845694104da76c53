"""Results about what waits for a decision."""

from dataclasses import dataclass
from typing import ClassVar

from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class StillUndecided(Result):
    """Something waits for a decision."""

    kind: ClassVar = "StillUndecided"

    waits: str
    subject_id: int


@dataclass(frozen=True, slots=True)
class Decided(Result):
    """It no longer waits."""

    kind: ClassVar = "Decided"
