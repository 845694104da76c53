"""The result of /ops in the operator's own chat: numbers and times of the machine, none of them about a person."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class OpsShown(Result):
    """The state of the bot."""

    kind: ClassVar = "OpsShown"

    problems: tuple[str, ...]
    """The names of the failing checks, as in `bot.health`."""
    silent_minutes: int | None
    """How long ago we last heard from Telegram; None if this process doesn't receive."""
    late_minutes: int
    """How long the oldest waiting update or Notice has been waiting."""
    incidents: int
    since: datetime
    """When this process started; incidents are counted from then on."""
    backs_up: bool
    """Whether Ajar makes the backups itself, as it does with SQLite."""
    backup: date | None
    rehearsed: date | None
    version: str
    schema: str
    free_gib: int | None
