"""What /ops says in the operator's own chat: numbers and times of the machine, none of them about a person."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class OpsShown(Result):
    """How the bot is."""

    kind: ClassVar = "OpsShown"

    problems: tuple[str, ...]
    """What something is wrong with, as in `bot.health`."""
    silent_minutes: int | None
    """For how long Telegram wasn't heard; None if nobody here waits for it."""
    late_minutes: int
    """For how long the oldest of what is waiting has been waiting."""
    incidents: int
    since: datetime
    """When this process started; incidents are counted from then on."""
    backs_up: bool
    """Whether the backups are Ajar's own, as with SQLite."""
    backup: date | None
    rehearsed: date | None
    version: str
    schema: str
    free_gib: int | None
