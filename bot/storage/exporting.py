"""Reads all of one user's data for an export, in pages, and opens it in a thread: there may be ten thousand Lines.

Of what two people share, we read only the user's own part, and of that only what the user has been told. So nothing
here looks at whether a Reflection was announced or opened, or at anything that the partner has sealed.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from sqlalchemy import Column, Row, Select, func, literal, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import export_document as document
from bot.crypto import KeyMismatch
from bot.domain.feelings import unpack
from bot.domain.model import AskState, User
from bot.domain.sharing import State
from bot.storage.damage import open_or_none
from bot.storage.prompt_ids import UNKNOWN, PromptIds, Prompts
from bot.storage.records import Entries as RecordedEntries
from bot.storage.records import Records
from bot.storage.schema import (
    asks,
    drafts,
    expectations,
    follow_ups,
    kept_questions,
    lines,
    reflections,
    responses,
    rests,
    shown_prompts,
    users,
)
from bot.storage.ties import of_follow_up, of_landing, of_response, of_words
from bot.storage.users import Users

Entries = Sequence[document.Part]

_IN_A_RECORD: Final = 100
_RECORDS: Final = 10
"""How many records we read at once."""
_PAGE: Final = 250
"""How many rows we read at once: few enough never to hold up the event loop."""
_STATES: Final[Mapping[AskState, Literal["answered", "skipped", "missed"]]] = {
    AskState.ANSWERED: "answered",
    AskState.SKIPPED: "skipped",
    AskState.MISSED: "missed",
}
"""The exported names of an Ask's state; any other state is "unanswered"."""
_BADLY: Final = "badly"
_OF_THE_USER: Final = document.Profile.model_fields.keys() - {"name", "since"}
"""The fields of a profile that are facts of the User. Their names are the same, except those in _RENAMED."""
_RENAMED: Final = {"covered_until": "last_day"}


class Exports:
    """The entries of an export, section by section."""

    def __init__(self, connection: AsyncConnection, users: Users, prompt_ids: PromptIds, records: Records) -> None:
        self._connection = connection
        self._users = users
        self._prompt_ids = prompt_ids
        self._records = records

    async def count(self, user_id: int) -> int:
        """Return roughly how many entries there are, counting Lines and Asks."""
        counted = [select(func.count()).where(table.c.user_id == user_id) for table in (lines, asks)]
        return sum([(await self._connection.execute(query)).scalar_one() for query in counted])

    async def profile(self, user: User) -> document.Profile:
        query = select(users.c.created_at).where(users.c.id == user.id)
        since = (await self._connection.execute(query)).scalar_one()
        facts = {each: getattr(user, _RENAMED.get(each, each)) for each in _OF_THE_USER}
        facts |= {
            "name": _clean(await self._users.name(user.id)),
            "since": since,
            "days": sorted(day + 1 for day in user.days),
            "muted_themes": sorted(user.muted_themes),
            "muted_sensitivities": sorted(user.muted_sensitivities),
            "rhythm": user.rhythm.value,
        }
        return document.Profile(**facts)

    async def entries(self, user_id: int) -> AsyncIterator[tuple[str, Entries]]:
        """Yield the entries of each section in the document's order, a page at a time."""
        opener = await self._opener(user_id)
        numbers: dict[int, int] = {}
        query = select(lines, asks.c.day.label("answers")).outerjoin(asks, asks.c.id == lines.c.ask_id)
        async for page in self._pages(query.where(lines.c.user_id == user_id), lines.c.kept_at, lines.c.message_id):
            for row in page:
                numbers[row.id] = len(numbers) + 1
            yield "lines", await _made(lambda row: _line(opener, row, numbers[row.id]), page)
        recorded = await self._recorded(user_id, numbers)
        for section, source in self._sources(opener, numbers).items():
            pages = self._pages(source.query.where(source.owner == user_id), *source.order)
            if order := _ORDERS.get(section):
                rest = [entry async for page in pages for entry in await _made(source.make, page)]
                if every := await asyncio.to_thread(sorted, [*recorded.get(section, []), *rest], key=order):
                    yield section, every
                continue
            if entries := recorded.get(section):
                yield section, entries
            async for page in pages:
                yield section, await _made(source.make, page)

    async def keep_for_others(self, user_id: int, now: datetime) -> None:
        """Before this user is erased, keep what partners wrote or noted about what the user shared or answered.

        It belongs to the partners, but its rows go with the user's. We put it into records, so that a partner's export
        doesn't reveal that somebody has erased everything.
        """
        for section, query, gone, owner in (
            ("responses", _RESPONSES, reflections.c.user_id, responses.c.user_id),
            ("remarks", _REMARKS, responses.c.user_id, reflections.c.user_id),
        ):
            found = query.add_columns(owner.label("owner")).where(gone == user_id)
            by_owner: dict[int, list[Row[Any]]] = {}
            for row in await self._connection.execute(found):
                by_owner.setdefault(row.owner, []).append(row)
            for other, rows in by_owner.items():
                await self._keep(other, section, rows, now)

    async def _keep(self, user_id: int, section: str, rows: Sequence[Row[Any]], now: datetime) -> None:
        try:
            opener = await self._opener(user_id)
        except KeyMismatch:  # nobody can read these rows any more
            return
        make = _response if section == "responses" else _remark
        made = await _made(lambda row: make(opener, row), rows)
        entries = [json.loads(entry.model_dump_json()) for entry in made]
        parts = (entries[at : at + _IN_A_RECORD] for at in range(0, len(entries), _IN_A_RECORD))
        await self._records.add(user_id, [{section: part} for part in parts], now)

    async def _opener(self, user_id: int) -> "_Opener":
        """Return an opener for this user's sealed values. Raises KeyMismatch."""
        key, untied = await self._users.data_key(user_id), await self._users.untied(user_id)
        return _Opener(user_id, key, await self._prompt_ids.of(user_id), untied=untied)

    def _sources(self, opener: "_Opener", numbers: Mapping[int, int]) -> dict[str, "_Source"]:
        """Return the sources of all sections except the Lines."""
        return {
            "asks": _Source(select(asks), asks.c.user_id, (asks.c.day,), lambda row: _ask(opener, row, numbers)),
            "skipped_dates": _Source(select(rests), rests.c.user_id, (rests.c.first_day,), _skipped),
            "shown_questions": _Source(
                select(shown_prompts), shown_prompts.c.user_id,
                (shown_prompts.c.shown_at, shown_prompts.c.prompt_id), lambda row: _shown(opener, row),
            ),
            "drafts": _Source(
                select(drafts), drafts.c.user_id, (drafts.c.sent_at, drafts.c.id), lambda row: _draft(opener, row)
            ),
            "reflections": _Source(
                _REFLECTIONS, reflections.c.user_id, (reflections.c.drafted_at, reflections.c.id),
                lambda row: _reflection(opener, row, numbers),
            ),
            "remarks": _Source(_REMARKS, reflections.c.user_id, (responses.c.id,), lambda row: _remark(opener, row)),
            "responses": _Source(
                _RESPONSES, responses.c.user_id, (responses.c.id,), lambda row: _response(opener, row)
            ),
            "kept_questions": _Source(
                select(kept_questions), kept_questions.c.user_id, (kept_questions.c.due_at, kept_questions.c.id),
                lambda row: _kept_question(opener, row),
            ),
        }  # fmt: skip

    async def _recorded(self, user_id: int, numbers: Mapping[int, int]) -> dict[str, list[document.Part]]:
        """Return the entries that exist only in records, where a Line is named by its id."""
        found: dict[str, list[document.Part]] = {}
        last = 0
        while kept := await self._records.of(user_id, last, _RECORDS):
            last = kept[-1][0]
            for section, entries in await asyncio.to_thread(_parts, kept, numbers):
                found.setdefault(section, []).extend(entries)
        return found

    async def _pages(self, query: Select[Any], *order: Column[Any]) -> AsyncIterator[Sequence[Row[Any]]]:
        last: Row[Any] | None = None
        while True:
            page = query.order_by(*order).limit(_PAGE)
            if last is not None:
                place = [literal(getattr(last, column.name), column.type) for column in order]
                page = page.where(tuple_(*order) > tuple_(*place))
            rows = (await self._connection.execute(page)).all()
            if rows:
                yield rows
            if len(rows) < _PAGE:
                return
            last = rows[-1]


@dataclass(frozen=True, slots=True)
class _Source:
    """The query for the entries of a section, and how to make them."""

    query: Select[Any]
    owner: Column[int]
    order: Sequence[Column[Any]]
    make: Callable[[Any], document.Part]


async def _made(make: Callable[[Any], document.Part], rows: Sequence[Row[Any]]) -> Entries:
    """Turn rows into entries, in a thread."""
    return await asyncio.to_thread(lambda: [make(row) for row in rows])


_REFLECTIONS: Final = (
    select(reflections, expectations.c.expected, expectations.c.came)
    .outerjoin(expectations, expectations.c.reflection_id == reflections.c.id)
    .where(
        reflections.c.state.not_in((State.WITHDRAWN, State.LAPSED)),
        or_(reflections.c.words.is_not(None), reflections.c.told == literal(value=True, type_=reflections.c.told.type)),
    )
)
"""The Reflections to export.

Those that were taken back or have lapsed have no words any more. A cancelled one looks like one that is still to be
opened. Once its Line is deleted, a Reflection is exported only if its sharer has seen a Response: unopened ones were
taken back with the Line, so any other would reveal that it had been opened.
"""
_RESPONSES: Final = select(responses, reflections.c.user_id.label("sharer_id")).join(
    reflections, reflections.c.id == responses.c.reflection_id
)
_REMARKS: Final = (
    select(
        responses.c.id, responses.c.reflection_id, responses.c.landing, responses.c.landed,
        responses.c.user_id.label("receiver_id"), reflections.c.shared_at, follow_ups.c.id.label("follow_up_id"),
        follow_ups.c.words, follow_ups.c.said_yes_at, follow_ups.c.sent_at,
    )
    .select_from(responses)
    .join(reflections, reflections.c.id == responses.c.reflection_id)
    .outerjoin(follow_ups, follow_ups.c.response_id == responses.c.id)
    .where(
        responses.c.sent_at.is_not(None),
        or_(responses.c.landing.is_not(None), responses.c.landed.is_not(None), follow_ups.c.id.is_not(None)),
    )
)  # fmt: skip
"""What the sharer has said about Responses, and nothing else of these."""


_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_ORDERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "remarks": lambda each: (each.shared_at or _NEVER, each.follow_up_at or _NEVER, each.follow_up or ""),
    "responses": lambda each: (each.sent_at or _NEVER, each.answer, each.words or ""),
}
"""The order of sections of which a part becomes records when a partner erases everything: by when their owner acted.

When the partner acted isn't for the owner to know, and records in a place of their own would reveal the erase.
"""


class _Opener:
    """Opens one user's sealed values, in a thread."""

    def __init__(self, user_id: int, key: bytes, prompts: Prompts, *, untied: bool) -> None:
        self.user_id = user_id
        self._prompts = prompts
        self.untied = untied
        self._key = key

    def prompt(self, stored: str | None) -> str | None:
        """Return the prompt's id for its stored form."""
        return self._prompts.read(stored) if stored else None

    def __call__(self, sealed: bytes | None, table: str, column: str, row: int, ties: Sequence[int] = ()) -> str | None:
        """Return the text; None if there is none or it no longer opens."""
        if sealed is None:
            return None
        return _clean(
            open_or_none(
                self._key, sealed, table=table, column=column, row=row, user=self.user_id, tied_to=ties,
                untied=self.untied,
            )
        )  # fmt: skip


def _clean(text: str | None) -> str | None:
    """Replace halves of characters, which JSON can't contain."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace") if text else text


def _numbered(entry: Mapping[str, Any], numbers: Mapping[int, int]) -> dict[str, Any]:
    return {**entry, "line": numbers.get(entry["line"] or 0)} if "line" in entry else dict(entry)


def _parts(
    kept: Sequence[tuple[int, RecordedEntries]], numbers: Mapping[int, int]
) -> list[tuple[str, list[document.Part]]]:
    return [
        (
            section,
            [document.SECTIONS[section].model_validate_json(json.dumps(_numbered(each, numbers))) for each in some],
        )
        for _, sections in kept
        for section, some in sections.items()
    ]


def _question(prompt_id: str | None) -> document.Question | None:
    return document.Question(id=prompt_id) if prompt_id else None


def _line(opener: _Opener, row: Any, number: int) -> document.Line:
    feelings = opener(row.feelings, "lines", "feelings", row.id)
    return document.Line(
        number=number,
        date=row.day,
        kept_at=row.kept_at,
        changed_at=row.changed_at,
        question=_question(opener.prompt(row.prompt_id)),
        answers=row.answers,
        noticed=row.noticed,
        words=opener(row.words, "lines", "words", row.id),
        feelings=[
            document.Feeling(shelf=each.shelf or None, word=each.own or None) for each in unpack(feelings or "[]")
        ],
    )


def _ask(opener: _Opener, row: Any, numbers: Mapping[int, int]) -> document.Ask:
    return document.Ask(
        date=row.day,
        state=_STATES.get(AskState(row.state), "unanswered"),
        question=_question(opener.prompt(row.prompt_id)),
        due_at=row.due_at,
        shown_at=row.shown_at,
        snoozed_until=row.snoozed_until,
        brings_back=numbers.get(row.callback_line_id),
    )


def _skipped(row: Any) -> document.SkippedDates:
    return document.SkippedDates(first=row.first_day, last=row.last_day, reason=row.kind)


def _shown(opener: _Opener, row: Any) -> document.ShownQuestion:
    return document.ShownQuestion(
        question=document.Question(id=opener.prompt(row.prompt_id) or UNKNOWN), shown_at=row.shown_at
    )


def _draft(opener: _Opener, row: Any) -> document.Draft:
    return document.Draft(
        sent_at=row.sent_at, reason=row.reason, words=opener(row.words, "drafts", "words", row.id)
    )  # fmt: skip


def _reflection(opener: _Opener, row: Any, numbers: Mapping[int, int]) -> document.Reflection:
    ties = of_words(row.pair_id, row.partner_id)
    return document.Reflection(
        state="shared" if row.shared_at else "draft",
        line=numbers.get(row.line_id),
        words=opener(row.words, "reflections", "words", row.id, ties),
        rewording=opener(row.rewording, "reflections", "rewording", row.id, ties),
        question=_question(opener(row.question, "reflections", "question", row.id, ties)),
        wish=row.wish,
        drafted_at=row.drafted_at,
        shared_at=row.shared_at,
        due_at=row.due_at,
        ritual=bool(row.ritual),
        expected=opener(row.expected, "expectations", "expected", row.id),
        came=opener(row.came, "expectations", "came", row.id),
    )


def _remark(opener: _Opener, row: Any) -> document.Remark:
    landing = opener(row.landing, "responses", "landing", row.id, of_landing(row.reflection_id))
    landed = None if landing is None else landing != _BADLY
    if landing is None and row.landed is not None and opener.untied:
        landed = bool(row.landed)
    ties = of_follow_up(row.id, row.receiver_id, sent=row.sent_at is not None)
    return document.Remark(
        shared_at=row.shared_at,
        landed=landed,
        follow_up=opener(row.words, "follow_ups", "words", row.follow_up_id or 0, ties),
        follow_up_at=row.said_yes_at,
    )


def _response(opener: _Opener, row: Any) -> document.Response:
    ties = of_response(row.reflection_id, row.sharer_id, sent=row.sent_at is not None)
    words = opener(row.words, "responses", "words", row.id, ties)
    return document.Response(answer=row.answer, words=words, sent_at=row.sent_at)


def _kept_question(opener: _Opener, row: Any) -> document.KeptQuestion:
    question = opener(row.question, "kept_questions", "question", row.id) or ""
    return document.KeptQuestion(question=question, due_at=row.due_at)
