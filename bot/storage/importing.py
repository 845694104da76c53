"""Writes what came along in an export from another bot into the rows of a user who has nothing here yet.

Lines, Asks and settings go on living here. What was shared stays with its Pair in the other bot, so here it becomes
records: it is exported again, and can't go out. Texts that nobody had decided about don't move.

Lines have messages only in the other bot's chat; here each has a number of its own below zero, in their order.
"""

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import export_document as document
from bot.crypto import seal
from bot.domain.feelings import Feeling
from bot.domain.model import AskState
from bot.storage.ids import timeless_id
from bot.storage.lines import sealed_feelings
from bot.storage.minimising import Minimising
from bot.storage.prompt_ids import PromptIds, Prompts
from bot.storage.records import Records
from bot.storage.schema import asks, lines, rests, shown_prompts
from bot.storage.users import Users

_BATCH: Final = 250
_IN_A_RECORD: Final = 100
_STATES: Final = {
    "answered": AskState.ANSWERED,
    "skipped": AskState.SKIPPED,
    "unanswered": AskState.LEFT,
    "missed": AskState.MISSED,
}
_RECORDED: Final = ("reflections", "remarks", "responses", "kept_questions")


class Imports:
    """Writes documents into rows."""

    def __init__(
        self,
        connection: AsyncConnection,
        users: Users,
        prompt_ids: PromptIds,
        records: Records,
        minimising: Minimising,
    ) -> None:
        self._connection = connection
        self._users = users
        self._prompt_ids = prompt_ids
        self._records = records
        self._minimising = minimising

    async def bring_in(self, user_id: int, documents: Sequence[document.Document], now: datetime) -> None:
        """Write everything but the profile. The user must have no Line and no Ask."""
        kept = [line for each in documents for line in each.lines if line.words is not None]
        numbers = {line.number: timeless_id() for line in kept}
        by_day = {ask.date: timeless_id() for each in documents for ask in each.asks}
        prompts = await self._prompt_ids.of(user_id)
        await self._insert(
            asks,
            [ask for each in documents for ask in each.asks],
            lambda ask: _ask(prompts, ask, user_id, by_day, numbers),
        )
        key = await self._users.data_key(user_id)
        places = {line.number: place - len(kept) for place, line in enumerate(kept)}
        await self._insert(
            lines,
            kept,
            lambda line: _line(key, prompts, line, user_id, numbers[line.number], places[line.number], by_day),
        )
        await self._insert(
            rests,
            [span for each in documents for span in each.skipped_dates],
            lambda span: {"user_id": user_id, "first_day": span.first, "last_day": span.last, "kind": span.reason},
        )
        await self._insert(
            shown_prompts,
            [shown for each in documents for shown in each.shown_questions],
            lambda shown: {
                "user_id": user_id,
                "prompt_id": prompts.stored(shown.question.id),
                "shown_at": shown.shown_at,
            },
        )
        await self._minimising.minimise(user_id)
        await self._records.add(user_id, _records(documents, numbers), now)

    async def _insert(self, table: Any, entries: Sequence[Any], row_of: Callable[[Any], Mapping[str, Any]]) -> None:
        for some in _batches(entries, _BATCH):
            rows = await asyncio.to_thread(_rows_of, some, row_of)
            await self._connection.execute(insert(table), rows)


def _batches(entries: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (entries[at : at + size] for at in range(0, len(entries), size))


def _rows_of(entries: Sequence[Any], row_of: Callable[[Any], Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [row_of(entry) for entry in entries]


def _ask(
    prompts: Prompts, ask: document.Ask, user_id: int, by_day: Mapping[date, int], numbers: Mapping[int, int]
) -> Mapping[str, Any]:
    return {
        "id": by_day[ask.date],
        "user_id": user_id,
        "day": ask.date,
        "state": _STATES[ask.state],
        "due_at": ask.due_at,
        "prompt_id": prompts.stored(ask.question.id) if ask.question else None,
        "shown_at": ask.shown_at,
        "snoozed_until": ask.snoozed_until,
        "callback_line_id": numbers.get(ask.brings_back or 0),
    }


def _line(
    key: bytes,
    prompts: Prompts,
    line: document.Line,
    user_id: int,
    line_id: int,
    place: int,
    by_day: Mapping[date, int],
) -> Mapping[str, Any]:
    feelings = [Feeling(shelf=each.shelf) if each.shelf else Feeling(own=each.word or "") for each in line.feelings]
    return {
        "id": line_id,
        "user_id": user_id,
        "day": line.date,
        "ask_id": by_day.get(line.answers) if line.answers else None,
        "prompt_id": prompts.stored(line.question.id) if line.question else None,
        "noticed": line.noticed,
        "message_id": place,
        "words": seal(key, line.words or "", table="lines", column="words", row=line_id, user=user_id),
        "kept_at": line.kept_at,
        "changed_at": line.changed_at,
        "feelings": sealed_feelings(key, user_id, line_id, feelings),
    }


def _records(documents: Sequence[document.Document], numbers: Mapping[int, int]) -> Iterable[dict[str, Any]]:
    for section in _RECORDED:
        entries = [entry for each in documents for entry in getattr(each, section)]
        for some in _batches(entries, _IN_A_RECORD):
            yield {section: [_by_id(json.loads(entry.model_dump_json()), numbers) for entry in some]}


def _by_id(entry: dict[str, Any], numbers: Mapping[int, int]) -> dict[str, Any]:
    """Let an entry name its Line by the id that it has here."""
    return {**entry, "line": numbers.get(entry["line"] or 0)} if "line" in entry else entry
