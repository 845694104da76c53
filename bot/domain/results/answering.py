"""Results about responding to an opened Reflection, from the receiver's side."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.domain.results.base import Result
from bot.domain.sharing import ResponseKind


@dataclass(frozen=True, slots=True)
class AlreadyAnswered(Result):
    """A line gets only one Response, and it has been sent."""

    kind: ClassVar = "AlreadyAnswered"


@dataclass(frozen=True, slots=True)
class Answered(Result):
    """The Response goes out in half a minute."""

    kind: ClassVar = "Answered"

    answer: str
    response_id: int = 0
    """0 in rows of earlier versions, in which a Response went out at once and could not be undone."""


@dataclass(frozen=True, slots=True)
class ReplyWanted(Result):
    """The receiver is to type one line back, or to finish a Stem."""

    kind: ClassVar = "ReplyWanted"

    reflection_id: int
    wish: str = ""
    """The Wish of the Reflection, whose Stems are offered. Empty if none are."""
    stem: str = ""
    """The Stem that was chosen."""


@dataclass(frozen=True, slots=True)
class ReplyTooLong(Result):
    kind: ClassVar = "ReplyTooLong"
    reflection_id: int
    draft_id: int | None = None
    """The text, if it can still be kept as a Line."""


@dataclass(frozen=True, slots=True)
class ReplyPreview(Result):
    """The Response waits for a yes."""

    kind: ClassVar = "ReplyPreview"

    response_id: int
    reflection_id: int
    draft_id: int | None = None
    """The Draft whose text became this Response, if it can still be kept as a Line instead."""
    answer: str = ResponseKind.LINE.value
    stem: str = ""
    """The Stem that was finished, if it was one."""
    beside: bool = False
    """Whether the tapped message stays, since it shows the partner's words or other answers."""


@dataclass(frozen=True, slots=True)
class ReactionStays(Result):
    """The receiver reacted to a line that already has its Response, so the reaction isn't sent."""

    kind: ClassVar = "ReactionStays"


@dataclass(frozen=True, slots=True)
class ReplyDropped(Result):
    """The line back was not sent."""

    kind: ClassVar = "ReplyDropped"


@dataclass(frozen=True, slots=True)
class UndoneTooLate(Result):
    """The Response had gone out before it could be undone."""

    kind: ClassVar = "UndoneTooLate"


@dataclass(frozen=True, slots=True)
class QuestionsShown(Result):
    """Curious questions for another day, one of which can be sent or kept."""

    kind: ClassVar = "QuestionsShown"

    reflection_id: int


@dataclass(frozen=True, slots=True)
class QuestionKept(Result):
    """A question is kept for the receiver alone, who is reminded of it at `at`."""

    kind: ClassVar = "QuestionKept"

    question_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class QuestionLeft(Result):
    """A question that was kept is dropped."""

    kind: ClassVar = "QuestionLeft"


@dataclass(frozen=True, slots=True)
class QuestionReminder(Result):
    """Reminds of a question that was kept, to be asked in person."""

    kind: ClassVar = "QuestionReminder"

    question_id: int
