"""Opens every data key and every sealed value once, to check that they open."""

from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, FromClause, Select, and_, false, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.crypto import CannotOpen, KeyRing, is_all_tied, open_sealed
from bot.storage.schema import (
    drafts,
    expectations,
    follow_ups,
    journal_pages,
    kept_questions,
    lines,
    pair_members,
    pairs,
    records,
    reflections,
    responses,
    ritual_seats,
    rituals,
    users,
)
from bot.storage.ties import (
    NOBODY,
    Ties,
    of_consent,
    of_follow_up,
    of_landing,
    of_pair,
    of_put_in,
    of_response,
    of_words,
)

_BATCH: Final = 500
_TEXTS: Final = frozenset({"name", "words", "rewording", "content"})
"""Columns with users' words. The other sealed columns hold choices, which we check but don't count."""
_NAMED: Final = 10
"""How many damaged places we name; we only count the rest."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A sealed column, and how to derive the place of a value from its row."""

    column: Column[Any]
    owner: Column[Any]
    """The user whose data key seals it."""
    row: Column[Any]
    ties: Callable[[Any], Ties] = lambda _: ()
    facts: tuple[Any, ...] = ()
    """The columns that the ties are made from."""
    source: FromClause | None = None
    """The join that provides these columns, if they are in more than one table."""
    missing: ColumnElement[bool] | None = None
    """When a value must not be missing, once everything of its owner is tied; None for words, which can be gone."""


_TO_REFLECTION: Final = responses.join(reflections, reflections.c.id == responses.c.reflection_id)
_OF_REFLECTION: Final = (reflections.c.pair_id, reflections.c.partner_id)


def _ties_of_words(row: Any) -> Ties:
    return of_words(row.pair_id, row.partner_id)


KINDS: Final = (
    Kind(users.c.name, users.c.id, users.c.id),
    Kind(users.c.muted, users.c.id, users.c.id, missing=true()),
    Kind(users.c.partnered, users.c.id, users.c.id),
    Kind(lines.c.words, lines.c.user_id, lines.c.id),
    Kind(lines.c.feelings, lines.c.user_id, lines.c.id),
    Kind(journal_pages.c.filter, journal_pages.c.user_id, journal_pages.c.user_id),
    Kind(journal_pages.c.found, journal_pages.c.user_id, journal_pages.c.user_id),
    Kind(drafts.c.words, drafts.c.user_id, drafts.c.id),
    Kind(reflections.c.words, reflections.c.user_id, reflections.c.id, _ties_of_words, _OF_REFLECTION),
    Kind(reflections.c.rewording, reflections.c.user_id, reflections.c.id, _ties_of_words, _OF_REFLECTION),
    Kind(reflections.c.question, reflections.c.user_id, reflections.c.id, _ties_of_words, _OF_REFLECTION),
    Kind(
        reflections.c.consent,
        reflections.c.user_id,
        reflections.c.id,
        lambda row: of_consent(row.pair_id, row.partner_id, row.due_at),
        (*_OF_REFLECTION, reflections.c.due_at),
        missing=and_(reflections.c.shared_at.is_not(None), reflections.c.partner_id != NOBODY),
    ),
    Kind(
        responses.c.words,
        responses.c.user_id,
        responses.c.id,
        lambda row: of_response(row.reflection_id, row.sharer_id, sent=row.sent_at is not None),
        (responses.c.reflection_id, responses.c.sent_at, reflections.c.user_id.label("sharer_id")),
        _TO_REFLECTION,
    ),
    Kind(
        responses.c.landing,
        reflections.c.user_id,
        responses.c.id,
        lambda row: of_landing(row.reflection_id),
        (responses.c.reflection_id,),
        _TO_REFLECTION,
    ),
    Kind(
        follow_ups.c.words,
        follow_ups.c.user_id,
        follow_ups.c.id,
        lambda row: of_follow_up(row.response_id, row.receiver_id, sent=row.sent_at is not None),
        (follow_ups.c.response_id, follow_ups.c.sent_at, responses.c.user_id.label("receiver_id")),
        follow_ups.join(responses, responses.c.id == follow_ups.c.response_id),
    ),
    Kind(expectations.c.expected, expectations.c.user_id, expectations.c.reflection_id),
    Kind(expectations.c.came, expectations.c.user_id, expectations.c.reflection_id),
    Kind(kept_questions.c.question, kept_questions.c.user_id, kept_questions.c.id),
    Kind(records.c.content, records.c.user_id, records.c.id),
    Kind(
        ritual_seats.c.consent,
        ritual_seats.c.user_id,
        ritual_seats.c.id,
        lambda row: of_put_in(row.ritual_id, row.next_at, row.reflection_id or 0),
        (ritual_seats.c.ritual_id, ritual_seats.c.reflection_id, rituals.c.next_at),
        ritual_seats.join(rituals, rituals.c.id == ritual_seats.c.ritual_id),
    ),
    Kind(
        pair_members.c.proof,
        pair_members.c.user_id,
        pair_members.c.pair_id,
        lambda row: of_pair(row.a, row.b),
        (pairs.c.a, pairs.c.b),
        pair_members.join(pairs, pairs.c.id == pair_members.c.pair_id),
        missing=true(),
    ),
)
"""Every sealed column."""


@dataclass(slots=True)
class Opened:
    """The outcome of opening everything."""

    keys: int = 0
    texts: int = 0
    damaged: int = 0
    places: list[str] = field(default_factory=list)
    """The first damaged places, by table, column and row, without any of their content."""

    def cannot(self, place: str) -> None:
        self.damaged += 1
        if len(self.places) < _NAMED:
            self.places.append(place)


class Seals:
    """Opens all sealed values, in batches."""

    def __init__(self, connection: AsyncConnection, keys: KeyRing) -> None:
        self._connection = connection
        self._keys = keys

    async def open_all(self) -> Opened:
        opened = Opened()
        async for found in self._all(select(users.c.id.label("about"), users.c.data_key), users.c.id):
            for row in found:
                if self._key(row.about, row.data_key) is None:
                    opened.cannot(f"users.data_key of user {row.about}")
                else:
                    opened.keys += 1
        for kind in KINDS:
            await self._open_kind(kind, opened)
        return opened

    async def _open_kind(self, kind: Kind, opened: Opened) -> None:
        table = kind.column.table
        query = select(
            _place_in(table).label("about"), kind.owner.label("owner"), kind.row.label("row"),
            kind.column.label("sealed"), (kind.missing if kind.missing is not None else false()).label("wanted"),
            *kind.facts,
        )  # fmt: skip
        query = query if kind.source is None else query.select_from(kind.source)
        async for found in self._all(query, _place_in(table)):
            keys = await self._keys_of({row.owner for row in found})
            for row in found:
                self._open(kind, row, keys.get(row.owner), opened)

    def _open(self, kind: Kind, row: Any, key: tuple[bytes, bool] | None, opened: Opened) -> None:
        data_key, untied = key or (None, False)
        if row.sealed is None and (untied or not row.wanted):
            return
        table, column = kind.column.table.name, kind.column.name
        try:
            if data_key is None:
                raise CannotOpen
            open_sealed(
                data_key, row.sealed or b"", table=table, column=column, row=row.row, user=row.owner,
                tied_to=kind.ties(row), untied=untied,
            )  # fmt: skip
        except (CannotOpen, UnicodeDecodeError):
            opened.cannot(f"{table}.{column} of row {row.row}")
        else:
            opened.texts += column in _TEXTS

    async def _all(self, query: Select[Any], place: Column[Any]) -> AsyncIterator[list[Any]]:
        last = None
        while True:
            batch = query.order_by(place).limit(_BATCH)
            rows = list(await self._connection.execute(batch if last is None else batch.where(place > last)))
            if not rows:
                return
            yield rows
            last = rows[-1].about

    async def _keys_of(self, owners: Collection[int]) -> dict[int, tuple[bytes, bool] | None]:
        """Return each owner's data key, and whether some of their rows may be untied; None if the key doesn't open."""
        found = await self._connection.execute(select(users.c.id, users.c.data_key).where(users.c.id.in_(owners)))
        keys = {row.id: (self._key(row.id, row.data_key), not is_all_tied(row.data_key)) for row in found}
        return {user_id: (key, untied) if key else None for user_id, (key, untied) in keys.items()}

    def _key(self, user_id: int, wrapped: bytes) -> bytes | None:
        try:
            return self._keys.unwrap(wrapped, user_id)
        except CannotOpen:
            return None


def _place_in(table: Any) -> Column[Any]:
    """Return the column in whose order we go through a table's rows."""
    (place,) = table.primary_key.columns
    column: Column[Any] = place
    return column
