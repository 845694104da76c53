"""The pause."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class Paused(Result):
    already: bool = False


@dataclass(frozen=True, slots=True)
class Resumed(Result):
    next_at: datetime
    was_paused: bool = True
