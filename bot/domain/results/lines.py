"""Results about Lines, and about texts that were set aside."""

from dataclasses import dataclass
from typing import ClassVar

from bot.domain.model import DraftReason
from bot.domain.results.base import Result


@dataclass(frozen=True, slots=True)
class Kept(Result):
    kind: ClassVar = "Kept"
    line_id: int
    revision: int = 0
    """How often the Line had been changed: the card's buttons are only valid for this revision."""
    may_share: bool = False
    """Whether to offer sharing: there is a Pair, or the user hasn't heard of its end."""
    shared: bool = False
    """Whether the user has shared it, or started to."""
    first: bool = False
    """Whether it is the user's first Line."""


@dataclass(frozen=True, slots=True)
class Changed(Result):
    kind: ClassVar = "Changed"
    line_id: int
    revision: int = 0
    may_share: bool = False
    shared: bool = False


@dataclass(frozen=True, slots=True)
class ChangeWanted(Result):
    kind: ClassVar = "ChangeWanted"
    line_id: int


@dataclass(frozen=True, slots=True)
class DeleteWanted(Result):
    kind: ClassVar = "DeleteWanted"
    line_id: int
    revision: int = 0
    shared: bool = False


@dataclass(frozen=True, slots=True)
class LineDiffers(Result):
    """The Line behind this button was changed after its card was shown; we show its current words."""

    kind: ClassVar = "LineDiffers"

    line_id: int
    revision: int
    may_share: bool = False
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Deleted(Result):
    """The Line is gone for good."""

    kind: ClassVar = "Deleted"


@dataclass(frozen=True, slots=True)
class LineGone(Result):
    """The Line behind this button is no longer there."""

    kind: ClassVar = "LineGone"


@dataclass(frozen=True, slots=True)
class NothingKept(Result):
    """The user edited a message that we stored nothing from."""

    kind: ClassVar = "NothingKept"


@dataclass(frozen=True, slots=True)
class SetAside(Result):
    """A text waits for its writer to decide whether to keep it, and as what."""

    kind: ClassVar = "SetAside"

    draft_id: int
    reason: DraftReason
    line_id: int | None = None
    """The Line that it could replace."""
    differs: bool = False
    """Whether that Line was changed after we first asked."""
    answered: bool = False
    """Whether the question or Reflection that it may have been meant for already has an answer."""
    again: bool = False
    """Whether the text is shown too, since its message is gone."""


@dataclass(frozen=True, slots=True)
class ShorterWanted(Result):
    """The writer wants to shorten it."""

    kind: ClassVar = "ShorterWanted"


@dataclass(frozen=True, slots=True)
class Dropped(Result):
    """A text that was set aside was dropped."""

    kind: ClassVar = "Dropped"


@dataclass(frozen=True, slots=True)
class EmptyText(Result):
    """There was nothing readable in the text."""

    kind: ClassVar = "EmptyText"


@dataclass(frozen=True, slots=True)
class TextOnly(Result):
    """The message was a picture, a voice message or a file: the bot only keeps text."""

    kind: ClassVar = "TextOnly"


@dataclass(frozen=True, slots=True)
class ForwardedText(Result):
    """The message was forwarded: these are somebody else's words."""

    kind: ClassVar = "ForwardedText"
