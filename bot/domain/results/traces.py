"""Results about what is removed from the chat."""

from dataclasses import dataclass
from typing import ClassVar

from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class Hidden(Result):
    """What the bot knows of the chat is being removed."""

    kind: ClassVar = "Hidden"
