"""Rows of Lines and of Drafts. Their words are sealed and opened here and nowhere else."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import (
    Row,
    Select,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal_column,
    select,
    tuple_,
    type_coerce,
    update,
)

from bot.crypto import CannotOpen, open_sealed, seal
from bot.domain.feelings import Feeling, pack, unpack
from bot.domain.model import Draft, DraftReason, Line
from bot.domain.times import TYPICAL_NEEDS
from bot.storage.columns import QUARTER, Day, Id, Instant, quarter_of
from bot.storage.damage import open_or_damaged, open_or_none
from bot.storage.direct import DirectConnection
from bot.storage.endings import Ended
from bot.storage.ids import timeless_id
from bot.storage.prompt_ids import PromptIds
from bot.storage.schema import asks, drafts, lines
from bot.storage.users import Users

T = TypeVar("T")

_NEWEST_FIRST: Final = (lines.c.kept_at.desc(), lines.c.message_id.desc())
"""By the time they were kept, which their ids don't contain; within a millisecond by the order of their messages."""

# Statements that every turn needs are built once: building one takes longer than executing it.
_QUARTER, _NEXT_QUARTER = bindparam("quarter", type_=Instant), bindparam("next_quarter", type_=Instant)
_AFTER_LATEST: Final = (
    select(func.coalesce(func.max(type_coerce(lines.c.kept_at, Id)) + 1, type_coerce(_QUARTER, Id)))
    .where(
        lines.c.user_id == bindparam("new_user_id"), lines.c.kept_at >= _QUARTER, lines.c.kept_at < _NEXT_QUARTER
    )
    .scalar_subquery()
)  # fmt: skip
"""We store only the quarter-hour in which a Line was kept, which is enough to know its date in any zone. The
milliseconds number the Lines of a quarter-hour, so that they stay in order even if their messages change."""
_NEW: Final = ("id", "user_id", "day", "ask_id", "prompt_id", "noticed", "message_id", "words")
_KEEP: Final = insert(lines).values(
    {name: bindparam(f"new_{name}", type_=lines.c[name].type) for name in _NEW} | {"kept_at": _AFTER_LATEST}
)
_OF_USER: Final = select(lines).where(lines.c.user_id == bindparam("user_id"))
_FIND: Final = _OF_USER.where(lines.c.id == bindparam("line_id"))
_FROM_MESSAGE: Final = _OF_USER.where(lines.c.message_id == bindparam("message_id"))
_OF_ASK: Final = _OF_USER.where(lines.c.ask_id == bindparam("ask_id")).order_by(*_NEWEST_FIRST).limit(1)
_ANSWERED: Final = (
    select(lines.c.kept_at)
    .where(lines.c.user_id == bindparam("user_id"), lines.c.ask_id.is_not(None))
    .order_by(*_NEWEST_FIRST)
    .limit(bindparam("count"))
)
_TO_BRING_BACK: Final = (
    select(lines.c.id, lines.c.prompt_id)
    .where(
        lines.c.user_id == bindparam("user_id"),
        lines.c.prompt_id.is_not(None),
        lines.c.kept_at <= bindparam("until"),
        ~exists().where(
            asks.c.user_id == bindparam("user_id"),
            asks.c.callback_line_id == lines.c.id,
            asks.c.shown_at > bindparam("not_since"),
        ),
    )
    .order_by(lines.c.kept_at)
    .limit(bindparam("count"))
)
_PLACE: Final = select(lines.c.kept_at, lines.c.message_id).where(
    lines.c.user_id == bindparam("user_id"), lines.c.id == bindparam("line_id")
)
_LIMIT: Final = bindparam("count", type_=Id)
_AT: Final = tuple_(bindparam("kept_at", type_=Instant), bindparam("message_id", type_=Id))
_KEPT: Final = tuple_(lines.c.kept_at, lines.c.message_id)
_OLDER: Final = _OF_USER.where(_KEPT < _AT).order_by(*_NEWEST_FIRST).limit(_LIMIT)
_NEWER: Final = _OF_USER.where(_KEPT > _AT).order_by(lines.c.kept_at, lines.c.message_id).limit(_LIMIT)
_ZERO: Final = literal_column("0", Id)
_BY_IDS: Final = select(lines).where(
    lines.c.id.in_(bindparam("ids", expanding=True)),
    lines.c.user_id + _ZERO == bindparam("user_id"),  # as a sum, so that SQLite ignores the index on user_id
)
_NOW_AND_EVER: Final = (datetime(9999, 1, 1, tzinfo=UTC), 0)
"""A position that every Line is older than."""
_TO_OPEN: Final = {
    column.name: select(lines.c.id, lines.c.kept_at, lines.c.message_id, column.label("sealed"))
    .where(lines.c.user_id == bindparam("user_id"), column.is_not(None), _KEPT < _AT)
    .order_by(*_NEWEST_FIRST)
    .limit(_LIMIT)
    for column in (lines.c.words, lines.c.feelings)
}
_OPENED_AT_ONCE: Final = 250
"""How many Lines a search opens at once, which takes a few milliseconds and so hardly holds up other work."""
_PROMPTS: Final = (
    select(lines.c.id, lines.c.prompt_id)
    .where(lines.c.user_id == bindparam("user_id"), lines.c.prompt_id.is_not(None))
    .order_by(*_NEWEST_FIRST)
)
_PROMPTS_ONCE: Final = (
    select(lines.c.prompt_id).distinct().where(lines.c.user_id == bindparam("user_id"), lines.c.prompt_id.is_not(None))
)
_OF_DAY: Final = (
    select(lines.c.id)
    .where(
        lines.c.user_id == bindparam("user_id"),
        lines.c.day == bindparam("day", type_=Day),
        lines.c.kept_at >= bindparam("since", type_=Instant),
        lines.c.kept_at < bindparam("until", type_=Instant),
    )
    .order_by(*_NEWEST_FIRST)
)
_FEELINGS: Final = select(lines.c.id, lines.c.day, lines.c.feelings).where(lines.c.user_id == bindparam("user_id"))
_FEELINGS_OF: Final = _FEELINGS.where(lines.c.id == bindparam("line_id"))
_FEELINGS_SINCE: Final = _FEELINGS.where(lines.c.kept_at >= bindparam("since"), lines.c.feelings.is_not(None)).order_by(
    *_NEWEST_FIRST
)
_FEELINGS_BYTES: Final = 1000
"""The length to which we pad the words added to a Line, so that it doesn't reveal them."""
_ONE: Final = select(lines.c.id).where(lines.c.user_id == bindparam("user_id")).limit(1)
_OTHERS: Final = _ONE.where(lines.c.id != bindparam("line_id"))
_WORDS: Final = select(lines.c.words).where(lines.c.id == bindparam("line_id"))
_CARD: Final = update(lines).where(lines.c.user_id == bindparam("of_user"), lines.c.id == bindparam("line_id"))
_DRAFT_CARD: Final = update(drafts).where(
    drafts.c.user_id == bindparam("of_user"), drafts.c.id == bindparam("draft_id")
)


class OpenedLine(NamedTuple):
    """A Line with its words and the Feelings added to it."""

    line: Line
    words: str
    feelings: tuple[Feeling, ...]


class Lines:
    """Lines of a user."""

    def __init__(self, connection: DirectConnection, users: Users, prompt_ids: PromptIds) -> None:
        self._connection = connection
        self._users = users
        self._prompt_ids = prompt_ids
        self._without_feelings: set[int] = set()
        """Lines that this transaction has added, which can't have Feelings yet."""

    async def keep(self, line: Line, words: str, *, prompt_id: str | None, now: datetime) -> None:
        self._without_feelings.add(line.id)
        await self._connection.execute_later(
            _KEEP,
            {
                "new_id": line.id,
                "new_user_id": line.user_id,
                "new_day": line.day,
                "new_ask_id": line.ask_id,
                "new_prompt_id": await self._prompt_ids.stored(line.user_id, prompt_id),
                "new_noticed": line.noticed,
                "new_message_id": line.message_id,
                "new_words": await self._seal(line.user_id, line.id, words),
                "quarter": quarter_of(now),
                "next_quarter": quarter_of(now) + QUARTER,
            },
        )

    async def find(self, user_id: int, line_id: int) -> Line | None:
        return await self._one(_FIND, user_id=user_id, line_id=line_id)

    async def any(self, line_id: int) -> Line | None:
        """Return this Line, whoever its owner is."""
        return await self._one(select(lines).where(lines.c.id == line_id))

    def prefetch_text(self, user_id: int, message_id: int) -> None:
        """Have the next statement also read what is needed to take a message as a Line."""
        self._connection.prefetch({"user_id": user_id, "message_id": message_id}, _FROM_MESSAGE)
        self._connection.prefetch({"user_id": user_id}, _ONE)
        self._connection.prefetch({"user_id": user_id, "count": TYPICAL_NEEDS}, _ANSWERED)

    async def from_message(self, user_id: int, message_id: int) -> Line | None:
        """Return the Line that came as this message."""
        return await self._one(_FROM_MESSAGE, user_id=user_id, message_id=message_id)

    async def of_ask(self, user_id: int, ask_id: int) -> Line | None:
        """Return the latest Line that answers this Ask."""
        return await self._one(_OF_ASK, user_id=user_id, ask_id=ask_id)

    async def has_any(self, user_id: int) -> bool:
        """Return whether this user has kept a Line."""
        return (await self._connection.execute(_ONE, {"user_id": user_id})).first() is not None

    async def others(self, user_id: int, line_id: int) -> bool:
        """Return whether this user has another Line besides this one."""
        found = await self._connection.execute(_OTHERS, {"user_id": user_id, "line_id": line_id})
        return found.first() is not None

    async def page(self, user_id: int, before: int | None, limit: int) -> list[Line]:
        """Return a user's Lines, newest first: those older than the Line `before`, if that is still there."""
        kept_at, message_id = await self._place(user_id, before) or _NOW_AND_EVER
        facts = {"user_id": user_id, "kept_at": kept_at, "message_id": message_id, "count": limit}
        return await self._lines((await self._connection.execute(_OLDER, facts)).all())

    async def newer(self, user_id: int, than: int, limit: int) -> list[Line]:
        """Return the `limit` Lines kept directly after this one, newest first; none if it isn't there any more."""
        place = await self._place(user_id, than)
        if place is None:
            return []
        facts = {"user_id": user_id, "kept_at": place[0], "message_id": place[1], "count": limit}
        return (await self._lines((await self._connection.execute(_NEWER, facts)).all()))[::-1]

    async def several(self, user_id: int, ids: Sequence[int]) -> list[Line]:
        """Return those of these Lines that are still there, in the same order."""
        rows = await self._connection.execute(_BY_IDS, {"user_id": user_id, "ids": list(ids)})
        found = {line.id: line for line in await self._lines(rows.all())}
        return [found[line_id] for line_id in ids if line_id in found]

    async def search(self, user_id: int, matches: Callable[[str], bool]) -> list[int]:
        """Return the ids of the Lines whose words match, newest first. Opens all of the user's Lines."""

        def found(line_id: int, words: str) -> list[int]:
            return [line_id] if matches(words) else []

        return await self._open_each(user_id, "words", found)

    async def all_feelings(self, user_id: int) -> list[tuple[int, tuple[Feeling, ...]]]:
        """Return the ids of Lines with Feelings, and the Feelings, newest first. Opens all of them."""
        return await self._open_each(user_id, "feelings", lambda line_id, packed: [(line_id, unpack(packed))])

    async def _open_each(self, user_id: int, column: str, take: Callable[[int, str], list[T]]) -> list[T]:
        """Open this column of every Line, newest first, in batches in a thread. Return all that `take` returns."""
        key = await self._users.data_key(user_id)
        taken: list[T] = []
        kept_at, message_id = _NOW_AND_EVER
        while True:
            facts = {"user_id": user_id, "kept_at": kept_at, "message_id": message_id, "count": _OPENED_AT_ONCE}
            rows = (await self._connection.execute(_TO_OPEN[column], facts)).all()
            taken += await asyncio.to_thread(_taken, key, user_id, column, rows, take)
            if len(rows) < _OPENED_AT_ONCE:
                return taken
            kept_at, message_id = rows[-1].kept_at, rows[-1].message_id

    async def prompts(self, user_id: int) -> list[tuple[int, str]]:
        """Return the ids of the Lines that answer a prompt, each with its prompt's id, newest first."""
        found = await self._connection.execute(_PROMPTS, {"user_id": user_id})
        prompts = await self._prompt_ids.of(user_id)
        return [(row.id, prompts.read(row.prompt_id)) for row in found]

    async def prompts_once(self, user_id: int) -> set[str]:
        """Return the prompts that this user's Lines answer, each once."""
        found = await self._connection.scalars(_PROMPTS_ONCE, {"user_id": user_id})
        prompts = await self._prompt_ids.of(user_id)
        return {prompts.read(stored) for stored in found}

    async def of_day(self, user_id: int, day: date, since: datetime, until: datetime) -> list[int]:
        """Return the Lines of a local date that were kept from `since` up to, not including, `until`, newest first."""
        facts = {"user_id": user_id, "day": day, "since": since, "until": until}
        return list((await self._connection.execute(_OF_DAY, facts)).scalars())

    async def _place(self, user_id: int, line_id: int | None) -> tuple[datetime, int] | None:
        """Return a Line's position in the order in which Lines were kept."""
        row = (await self._connection.execute(_PLACE, {"user_id": user_id, "line_id": line_id})).one_or_none()
        return (row.kept_at, row.message_id) if row else None

    async def words_of(self, user_id: int, ids: Collection[int]) -> dict[int, str]:
        """Return the words of several Lines of a user, by id, for showing; DAMAGED if they don't open."""
        found = await self._connection.execute(_BY_IDS, {"user_id": user_id, "ids": list(ids)})
        key = await self._users.data_key(user_id)
        return {
            row.id: open_or_damaged(key, row.words, table="lines", column="words", row=row.id, user=user_id)
            for row in found
        }

    async def answered(self, user_id: int, limit: int) -> list[datetime]:
        """Return when the latest `limit` Lines that answer an Ask were kept, newest first."""
        found = await self._connection.execute(_ANSWERED, {"user_id": user_id, "count": limit})
        return [row.kept_at for row in found]

    async def to_bring_back(
        self, user_id: int, limit: int, *, until: datetime, not_since: datetime
    ) -> list[tuple[int, str]]:
        """Return the ids of the oldest Lines that answer a prompt, each with its prompt's id.

        They were kept by `until`, and no Ask has brought them back after `not_since`.
        """
        facts = {"user_id": user_id, "until": until, "not_since": not_since, "count": limit}
        found = await self._connection.execute(_TO_BRING_BACK, facts)
        prompts = await self._prompt_ids.of(user_id)
        return [(row.id, prompts.read(row.prompt_id)) for row in found]

    async def kept_at(self, line: Line) -> datetime | None:
        place = await self._place(line.user_id, line.id)
        return place[0] if place else None

    async def words(self, line: Line) -> str:
        found = await self._connection.execute(_WORDS, {"line_id": line.id})
        key = await self._users.data_key(line.user_id)
        return open_sealed(key, found.scalar_one(), table="lines", column="words", row=line.id, user=line.user_id)

    async def change(self, line: Line, words: str, now: datetime, *, message_id: int | None = None) -> Line:
        """Give a Line new words and return the changed Line.

        With `message_id`, the words came as another message, which belongs to the Line from now on.
        """
        sealed = await self._seal(line.user_id, line.id, words)
        changed = replace(line, message_id=message_id or line.message_id, revision=line.revision + 1)
        await self._connection.execute(
            update(lines)
            .where(lines.c.id == line.id)
            .values(words=sealed, changed_at=now, message_id=changed.message_id, revision=changed.revision)
        )
        self._users.removed_words = True
        return changed

    async def feelings(self, user_id: int, line_id: int) -> tuple[Feeling, ...]:
        """Return the Feelings added to a Line, in the order in which they were added."""
        if line_id in self._without_feelings:
            return ()
        rows = await self._connection.execute(_FEELINGS_OF, {"user_id": user_id, "line_id": line_id})
        return tuple([feeling for row in rows.all() for feeling in await self._opened(user_id, row)])

    async def opened(self, user_id: int, ids: Sequence[int]) -> list[OpenedLine]:
        """Return those of these Lines that are still there, with words and Feelings, for showing."""
        rows = await self._connection.execute(_BY_IDS, {"user_id": user_id, "ids": list(ids)})
        key = await self._users.data_key(user_id)
        return [
            OpenedLine(
                _line(row, await self._prompt_ids.read(user_id, row.prompt_id)),
                open_or_damaged(key, row.words, table="lines", column="words", row=row.id, user=user_id),
                await self._opened(user_id, row),
            )
            for row in rows.all()
        ]

    async def feelings_since(self, user_id: int, since: datetime) -> list[tuple[date, tuple[Feeling, ...]]]:
        """Return the Feelings of each Line that was kept since then, with its local date, the newest Line first."""
        rows = await self._connection.execute(_FEELINGS_SINCE, {"user_id": user_id, "since": since})
        return [(row.day, await self._opened(user_id, row)) for row in rows.all()]

    async def set_feelings(self, line: Line, feelings: Collection[Feeling]) -> None:
        """Set the Feelings of a Line, replacing any others."""
        self._without_feelings.discard(line.id)
        sealed = sealed_feelings(await self._users.data_key(line.user_id), line.user_id, line.id, feelings)
        await self._connection.execute(update(lines).where(lines.c.id == line.id).values(feelings=sealed))
        self._users.removed_words = True

    async def _opened(self, user_id: int, row: Any) -> tuple[Feeling, ...]:
        if row.feelings is None:
            return ()
        place = await self._users.place(user_id, **_feelings_at(row.id))
        opened = open_or_none(await self._users.data_key(user_id), row.feelings, **place)
        return unpack(opened) if opened else ()

    async def show_on(self, user_id: int, line_id: int, message_id: int | None) -> None:
        """Note which message of the bot has the Line's current buttons, or that none has."""
        await self._connection.execute_later(_CARD, {"of_user": user_id, "line_id": line_id, "card_id": message_id})

    async def settle_days(self, user_id: int, day_of: Callable[[datetime], date]) -> None:
        """Set the local dates of Lines that were kept before we knew the user's zone."""
        found = await self._connection.execute(select(lines.c.id, lines.c.kept_at).where(lines.c.user_id == user_id))
        for row in found.all():
            await self._connection.execute(update(lines).where(lines.c.id == row.id).values(day=day_of(row.kept_at)))

    async def delete(self, line: Line) -> None:
        await self._connection.execute(delete(lines).where(lines.c.id == line.id))
        self._users.removed_words = True
        self._users.ends(Ended.DELETED, line.id)

    async def _seal(self, user_id: int, line_id: int, words: str) -> bytes:
        key = await self._users.data_key(user_id)
        return seal(key, words, table="lines", column="words", row=line_id, user=user_id)

    async def _one(self, statement: Select[Any], **facts: Any) -> Line | None:
        row = (await self._connection.execute(statement, facts)).one_or_none()
        return (await self._lines([row]))[0] if row else None

    async def _lines(self, rows: Sequence[Row[Any]]) -> list[Line]:
        return [_line(row, await self._prompt_ids.read(row.user_id, row.prompt_id)) for row in rows]


def sealed_feelings(key: bytes, user_id: int, line_id: int, feelings: Collection[Feeling]) -> bytes | None:
    """Seal the Feelings of a Line, padded; None if there are none."""
    if not feelings:
        return None
    packed = pack(feelings)
    padding = " " * (_FEELINGS_BYTES - len(packed.encode("utf-8", "surrogatepass")))
    return seal(key, packed + padding, user=user_id, **_feelings_at(line_id))


class Drafts:
    """Texts that were sent but not kept yet, until their writer decides."""

    def __init__(self, connection: DirectConnection, users: Users) -> None:
        self._connection = connection
        self._users = users

    async def set_aside(self, draft: Draft, now: datetime) -> Draft:
        """Store a Draft, replacing an earlier one from the same message. Return it with its new id."""
        replaced = await self._connection.execute(
            delete(drafts).where(drafts.c.user_id == draft.user_id, drafts.c.message_id == draft.message_id)
        )
        self._users.removed_words |= bool(replaced.rowcount)
        draft_id = timeless_id()
        key = await self._users.data_key(draft.user_id)
        await self._connection.execute(
            insert(drafts).values(
                id=draft_id,
                user_id=draft.user_id,
                reason=draft.reason,
                words=seal(key, draft.text, table="drafts", column="words", row=draft_id, user=draft.user_id),
                message_id=draft.message_id,
                ask_id=draft.ask_id,
                line_id=draft.line_id,
                line_revision=draft.line_revision,
                reflection_id=draft.reflection_id,
                sent_at=now,
            )
        )
        return replace(draft, id=draft_id, card_id=None)

    async def show_line(self, draft: Draft, revision: int) -> None:
        """Note which revision of the Line that the Draft could replace its writer has seen."""
        await self._connection.execute(update(drafts).where(drafts.c.id == draft.id).values(line_revision=revision))

    async def show_on(self, user_id: int, draft_id: int, message_id: int) -> None:
        """Note that this message of the bot asks about the Draft."""
        await self._connection.execute_later(
            _DRAFT_CARD, {"of_user": user_id, "draft_id": draft_id, "card_id": message_id}
        )

    async def find(self, user_id: int, draft_id: int) -> Draft | None:
        return await self._one(drafts.c.user_id == user_id, drafts.c.id == draft_id)

    async def from_message(self, user_id: int, message_id: int) -> Draft | None:
        return await self._one(drafts.c.user_id == user_id, drafts.c.message_id == message_id)

    async def drop(self, draft: Draft) -> None:
        await self._connection.execute(delete(drafts).where(drafts.c.id == draft.id))
        self._users.removed_words = True

    async def drop_before(self, moment: datetime) -> int:
        """Delete the Drafts that were sent before `moment` and not decided about. Return how many there were."""
        return int((await self._connection.execute(delete(drafts).where(drafts.c.sent_at < moment))).rowcount)

    async def _one(self, *conditions: Any) -> Draft | None:
        row = (await self._connection.execute(select(drafts).where(*conditions))).one_or_none()
        if row is None:
            return None
        key = await self._users.data_key(row.user_id)
        text = open_sealed(key, row.words, table="drafts", column="words", row=row.id, user=row.user_id)
        return Draft(
            id=row.id,
            user_id=row.user_id,
            reason=DraftReason(row.reason),
            text=text,
            message_id=row.message_id,
            ask_id=row.ask_id,
            line_id=row.line_id,
            line_revision=row.line_revision,
            card_id=row.card_id,
            reflection_id=row.reflection_id,
        )


def _taken(key: bytes, user_id: int, column: str, rows: Sequence[Any], take: Callable[[int, str], list[T]]) -> list[T]:
    """Open these rows, skipping damaged ones; somebody who opens such a Line sees that it is damaged."""
    taken: list[T] = []
    for row in rows:
        try:
            opened = open_sealed(key, row.sealed, table="lines", column=column, row=row.id, user=user_id)
        except CannotOpen:
            continue
        taken += take(row.id, opened)
    return taken


def _feelings_at(line_id: int) -> Any:
    return {"table": "lines", "column": "feelings", "row": line_id, "tied_to": ()}


def _line(row: Row[Any], prompt_id: str | None) -> Line:
    return Line(
        id=row.id,
        user_id=row.user_id,
        day=row.day,
        ask_id=row.ask_id,
        message_id=row.message_id,
        prompt_id=prompt_id,
        revision=row.revision,
        card_id=row.card_id,
        noticed=row.noticed,
    )
