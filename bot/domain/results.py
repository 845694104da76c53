"""What a use case came to. Results carry kinds, ids and times, never words of a user, since they are kept with the
update that caused them until its answer is known to be sent.
"""

import json
from dataclasses import dataclass, fields
from datetime import date, datetime, time
from functools import cache
from typing import Any

from bot.domain.model import DraftReason

_MOMENTS: dict[str, Any] = {"datetime": datetime, "date": date, "time": time}


@dataclass(frozen=True, slots=True)
class Result:
    """Base of all results."""

    def pack(self) -> str:
        """This result as JSON, for `unpack`."""
        facts = {field.name: getattr(self, field.name) for field in fields(self)}
        return json.dumps([type(self).__name__, facts], default=_pack_moment, separators=(",", ":"))


def unpack(packed: str) -> Result:
    """The result that `pack` wrote."""
    kind, facts = json.loads(packed)
    return _kinds()[kind](**{name: _unpack_value(value) for name, value in facts.items()})


@cache
def _kinds() -> dict[str, type[Result]]:
    return {kind.__name__: kind for kind in Result.__subclasses__()}


def _pack_moment(value: object) -> dict[str, str]:
    if isinstance(value, datetime | date | time):
        return {type(value).__name__: value.isoformat()}
    raise TypeError(f"a result can't hold a {type(value).__name__}")


def _unpack_value(value: Any) -> Any:
    if isinstance(value, dict):
        ((kind, text),) = value.items()
        return _MOMENTS[kind].fromisoformat(text)
    if isinstance(value, list):
        return tuple(_unpack_value(item) for item in value)
    return value


# --- starting


@dataclass(frozen=True, slots=True)
class ConsentWanted(Result):
    """The greeting: what this is, and the question for consent and age."""


@dataclass(frozen=True, slots=True)
class Declined(Result):
    """Consent was not given; nothing is stored."""


@dataclass(frozen=True, slots=True)
class HourWanted(Result):
    """At what time shall the question come."""

    typed: bool = False
    unclear: bool = False


@dataclass(frozen=True, slots=True)
class ClockWanted(Result):
    """What time is it for you now."""

    unclear: bool = False


@dataclass(frozen=True, slots=True)
class PlaceWanted(Result):
    """Type a city, or share a location."""


@dataclass(frozen=True, slots=True)
class CityWanted(Result):
    """Which of these zones, which all show the clock that was picked."""

    zones: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlaceSought(Result):
    """A city was typed or a location shared; which place it is, is looked up when this is shown."""


@dataclass(frozen=True, slots=True)
class Ready(Result):
    """The start is done."""

    first_at: datetime
    again: bool = False


@dataclass(frozen=True, slots=True)
class Waits(Result):
    """The user waits for the first Ask until its hour."""

    first_at: datetime


# --- the Ask


@dataclass(frozen=True, slots=True)
class Asked(Result):
    """A prompt, put to the user."""

    ask_id: int
    prompt_id: str
    here: bool = False
    """In place of what was tapped, rather than as a new message."""


@dataclass(frozen=True, slots=True)
class NoOther(Result):
    """Nothing else left to swap to."""

    lighter: bool


@dataclass(frozen=True, slots=True)
class LaterWanted(Result):
    """When shall the Ask come back."""

    ask_id: int
    tonight: bool


@dataclass(frozen=True, slots=True)
class Snoozed(Result):
    ask_id: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Skipped(Result):
    ask_id: int


@dataclass(frozen=True, slots=True)
class AskPassed(Result):
    """The Ask behind this button can't be answered or moved any more."""


@dataclass(frozen=True, slots=True)
class TodayAnswered(Result):
    """Today's question has its Line already."""

    next_at: datetime | None


# --- Lines


@dataclass(frozen=True, slots=True)
class Kept(Result):
    line_id: int


@dataclass(frozen=True, slots=True)
class Changed(Result):
    line_id: int


@dataclass(frozen=True, slots=True)
class ChangeWanted(Result):
    line_id: int


@dataclass(frozen=True, slots=True)
class DeleteWanted(Result):
    line_id: int


@dataclass(frozen=True, slots=True)
class Deleted(Result):
    """The Line is gone for good."""


@dataclass(frozen=True, slots=True)
class LineGone(Result):
    """The Line behind this button is no longer there."""


@dataclass(frozen=True, slots=True)
class SetAside(Result):
    """A text waits for its writer's word: keep it, and as what?"""

    draft_id: int
    reason: DraftReason
    length: int


@dataclass(frozen=True, slots=True)
class ShorterWanted(Result):
    """The writer wants to shorten it."""


@dataclass(frozen=True, slots=True)
class Dropped(Result):
    """A text that was set aside was let go."""


@dataclass(frozen=True, slots=True)
class EmptyText(Result):
    """Nothing readable was in the text."""


@dataclass(frozen=True, slots=True)
class TextOnly(Result):
    """A picture, a voice, a file: the bot keeps text only."""


@dataclass(frozen=True, slots=True)
class ForwardedText(Result):
    """Somebody else's words."""


# --- time


@dataclass(frozen=True, slots=True)
class Paused(Result):
    already: bool = False


@dataclass(frozen=True, slots=True)
class Resumed(Result):
    next_at: datetime
    was_paused: bool = True


# --- always there


@dataclass(frozen=True, slots=True)
class Help(Result):
    pass


@dataclass(frozen=True, slots=True)
class Support(Result):
    pass


@dataclass(frozen=True, slots=True)
class Privacy(Result):
    pass


@dataclass(frozen=True, slots=True)
class Cancelled(Result):
    something: bool


@dataclass(frozen=True, slots=True)
class UnknownCommand(Result):
    pass


@dataclass(frozen=True, slots=True)
class Outdated(Result):
    """A button of another time: it asks for nothing that can be done now."""


@dataclass(frozen=True, slots=True)
class Silence(Result):
    """There is nothing to say."""


@dataclass(frozen=True, slots=True)
class Sorry(Result):
    """Something went wrong on our side."""

    incident: str
