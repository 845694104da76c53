"""Results about removing messages from the chat."""

from dataclasses import dataclass
from typing import ClassVar

from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class Hidden(Result):
    """The messages that the bot knows of are being removed from the chat."""

    kind: ClassVar = "Hidden"
