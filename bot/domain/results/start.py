"""Results about setting up."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from bot.domain.results.base import Result


class Came(StrEnum):
    """Whether a user who is setting up came with an Invite."""

    ALONE = "alone"
    WAITS = "waits"  # only in rows of earlier versions, which showed the Invite after the start
    NOWHERE = "nowhere"  # the Invite leads nowhere


@dataclass(frozen=True, slots=True)
class ConsentWanted(Result):
    """The greeting: says what this is, and asks for consent and age."""

    kind: ClassVar = "ConsentWanted"

    invited: bool = False
    """Whether this follows a yes to an Invite: then they can agree to receive only."""
    typed: bool = False
    """Whether they have typed something instead of tapping a button; it isn't kept."""


@dataclass(frozen=True, slots=True)
class Invited(Result):
    """Somebody without consent yet has followed an Invite's link; we say who asks, and for what."""

    kind: ClassVar = "Invited"

    invite_id: int
    more: bool = False
    """Whether it explains at length what pairing means."""


@dataclass(frozen=True, slots=True)
class Declined(Result):
    """Consent was not given; nothing is stored."""

    kind: ClassVar = "Declined"


@dataclass(frozen=True, slots=True)
class HourWanted(Result):
    """Asks at what time the daily question should come."""

    kind: ClassVar = "HourWanted"

    typed: bool = False
    unclear: bool = False
    invite: Came = Came.ALONE
    begun: bool = False
    """Whether the first question has been answered, so that this is about tomorrow's."""


@dataclass(frozen=True, slots=True)
class HourOrLine(Result):
    """A time of day was typed below the first question. It is set aside, since it may have been meant as the hour."""

    kind: ClassVar = "HourOrLine"

    draft_id: int


@dataclass(frozen=True, slots=True)
class Ready(Result):
    """Setting up is done."""

    kind: ClassVar = "Ready"

    first_at: datetime
    again: bool = False
    begun: bool = False
    """Whether the first question has been answered."""


@dataclass(frozen=True, slots=True)
class FirstAskPlanned(Result):
    """The user waits for the first Ask to come at its hour."""

    kind: ClassVar = "Waits"

    first_at: datetime
