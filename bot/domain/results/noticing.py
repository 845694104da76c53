"""Results about Noticed lines."""

from dataclasses import dataclass
from typing import ClassVar

from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class NoticedWanted(Result):
    """The user is to type one line about something that the partner did or carried."""

    kind: ClassVar = "NoticedWanted"

    too_long: bool = False
    draft_id: int | None = None
