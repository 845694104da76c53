"""Writes an export from another bot into the rows of a user who has nothing here yet.

Lines, Asks and settings become ordinary rows. What was shared belongs to a Pair of the other bot, so here it becomes
records: it is exported again, but can't go out. Drafts aren't imported. The messages of Lines are only in the other
bot's chat, so here their message ids are negative numbers, in the order of the Lines.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from itertools import islice
from typing import Any, Final

from sqlalchemy import Insert, Table, delete, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import export_document as document
from bot.crypto import seal
from bot.domain.feelings import Feeling
from bot.domain.model import AskState
from bot.storage.columns import coarse_in_order
from bot.storage.ids import timeless_id
from bot.storage.lines import sealed_feelings
from bot.storage.prompt_ids import PromptIds, Prompts
from bot.storage.records import Records
from bot.storage.schema import asks, lines, rests, shown_prompts
from bot.storage.users import Users

_BATCH: Final = 100
"""How many rows a transaction writes: few enough to hold up nobody, on the event loop or in the database."""
_AT_ONCE: Final = 25
"""How many of them a statement writes: SQLAlchemy prepares their values on the event loop, in about a millisecond."""
_PIECE: Final = 50
_IN_A_RECORD: Final = 100
_STATES: Final = {
    "answered": AskState.ANSWERED,
    "skipped": AskState.SKIPPED,
    "unanswered": AskState.LEFT,
    "missed": AskState.MISSED,
}
_RECORDED: Final = ("reflections", "remarks", "responses", "kept_questions")


@cache
def _adding(table: Table) -> Insert:
    return insert(table)


class Imports:
    """Writes documents into rows, in steps small enough for a transaction each."""

    def __init__(self, connection: AsyncConnection, users: Users, prompt_ids: PromptIds, records: Records) -> None:
        self._connection = connection
        self._users = users
        self._prompt_ids = prompt_ids
        self._records = records

    async def begin(self, user_id: int, content: bytes) -> "Import":
        """Prepare the import of an Arrival's content. The profile is left to the caller."""
        key, prompts = await self._users.data_key(user_id), await self._prompt_ids.of(user_id)
        return await asyncio.to_thread(Import, user_id, pieces_of(content), key, prompts)

    async def write(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        for start in range(0, len(rows), _AT_ONCE):
            await self._connection.execute(_adding(table), rows[start : start + _AT_ONCE])

    async def complete(self, begun: "Import", now: datetime) -> None:
        """Write the records, last and all at once, since `undo` can't tell them from other records of the user."""
        await self._records.add(begun.user_id, begun.records(), now)

    async def undo(self, user_id: int) -> None:
        """Remove what `write` has written for this user, who has no other rows in these tables."""
        for table in (lines, asks, rests, shown_prompts):
            await self._connection.execute(delete(table).where(table.c.user_id == user_id))
        self._users.removed_words = True


class Import:
    """The rows of one import, made and sealed in a thread.

    It parses the documents as they are needed, twice. All at once they would be so many objects that garbage collection
    would stop the interpreter for a tenth of a second.
    """

    def __init__(self, user_id: int, pieces: Sequence[bytes | str], data_key: bytes, prompts: Prompts) -> None:
        self.user_id = user_id
        self.profile: document.Profile | None = None
        self._with: dict[str, list[bytes | str]] = {section: [] for section in document.SECTIONS}
        self._key = data_key
        self._prompts = prompts
        self._by_day: dict[date, int] = {}
        kept: list[tuple[datetime, int]] = []
        for piece in pieces:
            each = document.parse(piece)
            for section, found in self._with.items():
                if getattr(each, section):
                    found.append(piece)
            self.profile = self.profile or each.profile
            self._by_day |= {ask.date: timeless_id() for ask in each.asks}
            kept += [(line.kept_at, line.number) for line in each.lines if line.words is not None]
        kept.sort()
        self._ids = {number: timeless_id() for _, number in kept}
        moments = coarse_in_order(kept_at for kept_at, _ in kept)
        self._places = {number: (place, at) for place, ((_, number), at) in enumerate(zip(kept, moments, strict=True))}

    def steps(self) -> Iterator[tuple[Table, Sequence[Mapping[str, Any]]]]:
        """Yield the rows in the order in which they have to be written, at most _BATCH at a time."""
        for table, rows in (
            (asks, map(self._ask, self._entries("asks"))),
            (lines, map(self._line, (line for line in self._entries("lines") if line.number in self._ids))),
            (rests, map(self._skipped, self._entries("skipped_dates"))),
            (shown_prompts, map(self._shown, self._entries("shown_questions"))),
        ):
            while some := list(islice(rows, _BATCH)):
                yield table, some

    def records(self) -> Iterator[dict[str, Any]]:
        for section in _RECORDED:
            entries = (_by_id(json.loads(entry.model_dump_json()), self._ids) for entry in self._entries(section))
            while some := list(islice(entries, _IN_A_RECORD)):
                yield {section: some}

    def _entries(self, section: str) -> Iterator[Any]:
        for piece in self._with[section]:
            yield from getattr(document.parse(piece), section)

    def _stored(self, question: document.Question | None) -> str | None:
        return self._prompts.stored(question.id) if question else None

    def _ask(self, ask: document.Ask) -> Mapping[str, Any]:
        return {
            "id": self._by_day[ask.date],
            "user_id": self.user_id,
            "day": ask.date,
            "state": _STATES[ask.state],
            "due_at": ask.due_at,
            "prompt_id": self._stored(ask.question),
            "shown_at": ask.shown_at,
            "snoozed_until": ask.snoozed_until,
            "callback_line_id": self._ids.get(ask.brings_back or 0),
        }

    def _line(self, line: document.Line) -> Mapping[str, Any]:
        row, (place, kept_at) = self._ids[line.number], self._places[line.number]
        feelings = [Feeling(shelf=each.shelf) if each.shelf else Feeling(own=each.word or "") for each in line.feelings]
        words = seal(self._key, line.words or "", table="lines", column="words", row=row, user=self.user_id)
        return {
            "id": row,
            "user_id": self.user_id,
            "day": line.date,
            "ask_id": self._by_day.get(line.answers) if line.answers else None,
            "prompt_id": self._stored(line.question),
            "noticed": line.noticed,
            "message_id": place - len(self._places),
            "words": words,
            "kept_at": kept_at,
            "changed_at": line.changed_at,
            "feelings": sealed_feelings(self._key, self.user_id, row, feelings),
        }

    def _skipped(self, span: document.SkippedDates) -> Mapping[str, Any]:
        return {"user_id": self.user_id, "first_day": span.first, "last_day": span.last, "kind": span.reason}

    def _shown(self, shown: document.ShownQuestion) -> Mapping[str, Any]:
        return {"user_id": self.user_id, "prompt_id": self._stored(shown.question), "shown_at": shown.shown_at}


def in_pieces(documents: Sequence[document.Document]) -> bytes:
    """Return documents as the content of an Arrival: small ones, one per line, as parsing one blocks all else."""
    return b"\n".join(piece.model_dump_json().encode() for each in documents for piece in _divided(each))


def pieces_of(content: bytes) -> Sequence[bytes | str]:
    if content.startswith(b"["):  # of an earlier version
        pieces: Sequence[str] = json.loads(content)
        return pieces
    return content.split(b"\n")


def _divided(whole: document.Document) -> Iterator[document.Document]:
    empty = whole.model_copy(update={section: [] for section in document.SECTIONS})
    yield empty
    for section in document.SECTIONS:
        entries = getattr(whole, section)
        for at in range(0, len(entries), _PIECE):
            yield empty.model_copy(update={"consent": None, "profile": None, section: entries[at : at + _PIECE]})


def _by_id(entry: dict[str, Any], numbers: Mapping[int, int]) -> dict[str, Any]:
    """Replace the number of an entry's Line by the id that it has here."""
    return {**entry, "line": numbers.get(entry["line"] or 0)} if "line" in entry else entry
