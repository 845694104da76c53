"""The document of an export: what its JSON contains. docs/export.md explains it; docs/export.schema.json is its schema.

Everything in it belongs to one person. Instants are in UTC, to the millisecond; dates and hours are
on the person's own calendar and clock. Entries refer to a Line by its number; the database's ids aren't exported.

Change VERSION when an older reader would misread the document; a new field with a default needs no new version.
"""

import datetime as dt
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, ValidationError

FORMAT: Final = "ajar-export"
VERSION: Final = 1
_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2199
_HIGHEST_ACCOUNT: Final = 2**52
"""Telegram promises that an id has at most 52 significant bits. Source: the type User in the Bot API."""

When = TypeVar("When", bound=dt.date)


def _whole_milliseconds(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _in_our_time(when: When) -> When:
    """Refuse a year that calendar arithmetic can't handle."""
    if not _FIRST_YEAR <= when.year <= _LAST_YEAR:
        raise ValueError(f"not in the years {_FIRST_YEAR} to {_LAST_YEAR}")
    return when


Moment = Annotated[
    AwareDatetime,
    AfterValidator(_in_our_time),
    PlainSerializer(_whole_milliseconds, return_type=str, when_used="json"),
]
Day = Annotated[dt.date, AfterValidator(_in_our_time)]
Hour = Annotated[dt.time, PlainSerializer(lambda at: at.isoformat("minutes"), return_type=str, when_used="json")]
Depth = Annotated[int, Field(ge=1, le=5)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
"""How often something has happened; the limit is far below that of the database's columns."""
Name = Annotated[str, Field(max_length=100)]
"""An id of the library, of a word of the Shelf, or of a choice."""
Words = Annotated[str, Field(max_length=4096)]


class Part(BaseModel):
    """A part of the document. It may contain nothing that isn't described here."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="null")


class Question(Part):
    """A question of the library; its text is as it was when the export was made, or null if it has left the library."""

    id: Name
    text: Words | None = None


class Consent(Part):
    """The version of the policy that was agreed to, and when. It isn't imported: another bot has to ask itself."""

    version: int
    at: Moment


class Profile(Part):
    """Settings, and what the bot has learnt for choosing questions."""

    name: Words | None = Field(default=None, description="What the partner sees.")
    language: Name
    language_chosen: bool
    telegram_language: Name | None = None
    since: Moment = Field(description="When they first agreed.")
    ask_at: Hour | None = None
    zone: Name | None = None
    days: Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(description="Weekdays; 1 is Monday.")]
    quiet_from: Hour | None = None
    quiet_to: Hour | None = None
    receives_only: bool
    soft_reminder: bool
    discreet: bool
    silent: bool = False
    weekly_recap: bool | None = Field(default=None, description="Null until the first recap has come.")
    partnered: bool = Field(default=False, description="Whether they say that they have a partner.")
    callbacks: bool | None = Field(default=None, description="Whether older Lines may come back; null until asked.")
    depth: Depth
    ceiling: Depth
    comfortable: Count
    offered_depth: Depth | None = None
    refused_depth: Depth | None = None
    hour_offered: bool
    muted_themes: list[Name]
    muted_sensitivities: list[Name]
    rhythm: Literal["daily", "weekly", "quiet"]
    unanswered: Count
    paused_at: Moment | None = None
    paused_until: Day | None = None
    covered_until: Day | None = Field(default=None, description="The last date that had its question or has a reason.")


class Feeling(Part):
    """A word for a Line: one of the Shelf, with its id and its text, or their own."""

    shelf: Name | None = None
    word: Words | None = None


class Line(Part):
    """A Line as it stands now; earlier wordings aren't kept."""

    number: int = Field(ge=1)
    date: Day
    kept_at: Moment
    changed_at: Moment | None = None
    question: Question | None = None
    answers: Day | None = Field(default=None, description="The date of the Ask that it answers.")
    noticed: bool = Field(default=False, description="Whether it is about what the partner did or carried.")
    words: Words | None = Field(description="Null if damaged beyond reading.")
    feelings: list[Feeling] = []


class Ask(Part):
    """A date's question."""

    date: Day
    state: Literal["answered", "skipped", "unanswered", "missed"]
    question: Question | None = None
    due_at: Moment
    shown_at: Moment | None = None
    snoozed_until: Moment | None = None
    brings_back: int | None = Field(default=None, description="The number of the Line that it brings back.")


class SkippedDates(Part):
    """Dates without a question, and why."""

    first: Day
    last: Day
    reason: Name


class ShownQuestion(Part):
    """When a question was last shown, so that it isn't repeated too soon."""

    question: Question
    shown_at: Moment


class Draft(Part):
    """A text that they sent and haven't decided about."""

    sent_at: Moment
    reason: Name
    words: Words | None


class Reflection(Part):
    """What they shared, or drafted to share. Whether it was opened isn't here, because they were never told."""

    state: Literal["draft", "shared"]
    line: int | None = Field(default=None, description="The number of the Line.")
    words: Words | None
    rewording: Words | None = Field(default=None, description="New words that wait for a yes.")
    question: Question | None = Field(default=None, description="The question that goes with the words.")
    wish: Name | None = None
    drafted_at: Moment
    shared_at: Moment | None = None
    due_at: Moment | None = Field(default=None, description="The time they chose.")
    ritual: bool = Field(default=False, description="Whether it was written for the Ritual.")
    expected: Name | None = Field(default=None, description="What they privately expected.")
    came: Name | None = Field(default=None, description="What came, as they noted it.")


class Remark(Part):
    """What they said privately about a Response, or to a question that came back. The Response is the partner's."""

    shared_at: Moment | None = Field(description="When they shared the Reflection.")
    landed: bool | None = None
    follow_up: Words | None = None
    follow_up_at: Moment | None = None


class Response(Part):
    """What they sent back to something their partner shared, which itself is the partner's."""

    answer: Name
    words: Words | None = None
    sent_at: Moment | None = Field(default=None, description="Null while it waits for their yes.")


class KeptQuestion(Part):
    """A curious question that they keep to ask in person."""

    question: Name
    due_at: Moment


class Document(Part):
    """One file of an export. A long export has several, numbered from 1, of which one says that it is the last."""

    format: Literal["ajar-export"] = FORMAT
    version: Literal[1] = VERSION
    made_at: Moment
    part: int = Field(default=1, ge=1)
    last: bool = True
    account: int = Field(ge=1, le=_HIGHEST_ACCOUNT, description="The number of the Telegram account.")
    consent: Consent | None = None
    profile: Profile | None = Field(default=None, description="In the first file only.")
    lines: list[Line] = []
    asks: list[Ask] = []
    skipped_dates: list[SkippedDates] = []
    shown_questions: list[ShownQuestion] = []
    drafts: list[Draft] = []
    reflections: list[Reflection] = []
    remarks: list[Remark] = []
    responses: list[Response] = []
    kept_questions: list[KeptQuestion] = []


SECTIONS: Final[dict[str, type[Part]]] = {
    "lines": Line,
    "asks": Ask,
    "skipped_dates": SkippedDates,
    "shown_questions": ShownQuestion,
    "drafts": Draft,
    "reflections": Reflection,
    "remarks": Remark,
    "responses": Response,
    "kept_questions": KeptQuestion,
}
"""The lists of the document, in its order, and what is in them."""


class WrongDocument(Exception):
    """A file isn't an export that can be read. The message names the place, never the content."""


def parse(content: bytes | str) -> Document:
    """Read one file of an export. Raises WrongDocument."""
    try:
        return Document.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise WrongDocument(f"{place}: {first['msg']}") from None


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one file, as docs/export.schema.json has it."""
    found = Document.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "An export of Ajar", **found}
