"""What waits for its user's decision, and is asked about by a message of the bot."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Waits(StrEnum):
    """A kind of thing that waits for its user's decision."""

    DRAFT = "draft"
    """A Draft, by its id."""
    SHARE = "share"
    """The preview of a Reflection, by its id."""
    REWORDING = "rewording"
    """Other words for a Reflection, by the Reflection's id."""
    RITUAL = "ritual"
    """The preview of a Reflection for the Ritual, by its id."""
    RESPONSE = "response"
    """The preview of a Response, by the Reflection that it goes to."""
    FOLLOW_UP = "follow_up"
    """The preview of a Follow-up, by the Response that it goes to."""


OF_TWO: Final = frozenset(Waits) - {Waits.DRAFT}
"""What is meant for the partner."""


@dataclass(frozen=True, slots=True)
class Undecided:
    """Something that waits for its user's decision."""

    waits: Waits
    id: int
