"""The entry point of storage: transactions, each with access to all rows, by noun."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from functools import cache, partial
from typing import Any, Final, TypeVar

from sqlalchemy import Select, Table, func, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.crypto import KeyMismatch, KeyRing
from bot.domain.notices import NoticeKind
from bot.metrics import TRANSACTIONS
from bot.storage.arrivals import Arrivals
from bot.storage.asks import FIND_ASK, LAST_MESSAGE, LATEST_ASK, SHOWN_PROMPTS, Asks
from bot.storage.backlog import Backlog, look
from bot.storage.conflicts import insert_into
from bot.storage.direct import DirectConnection
from bot.storage.endings import Ended, Ending, Journal, hashed
from bot.storage.engine import Connections, Database, connect, is_busy
from bot.storage.expectations import Expectations
from bot.storage.exporting import Exports
from bot.storage.follow_ups import FollowUps
from bot.storage.importing import Imports
from bot.storage.inbox import Inbox
from bot.storage.journal_pages import CURRENT_PAGE, JournalPages
from bot.storage.lines import Drafts, Lines
from bot.storage.master_keys import MasterKeys
from bot.storage.minimising import Minimising, Position
from bot.storage.moved import refuse_moved
from bot.storage.notices import EARLIEST, Notices
from bot.storage.openings import LATEST_OPENING, Openings
from bot.storage.pairs import ACTIVE_PAIR, LOOKS_PAIRED, Invites, Pairs
from bot.storage.processes import Processes
from bot.storage.prompt_ids import PromptIds
from bot.storage.questions import KeptQuestions
from bot.storage.records import Records
from bot.storage.reflections import Reflections
from bot.storage.responses import Responses
from bot.storage.rituals import Rituals
from bot.storage.schema import arrivals, lines, notes, notices, pairs, reflections, rituals, users
from bot.storage.seals import Seals
from bot.storage.skipped_dates import SkippedDates
from bot.storage.traces import Traces
from bot.storage.troubles import is_passing
from bot.storage.tying import Tying
from bot.storage.users import AWAITED, FIND_USER, NEXT_ASK_AT, Dialogs, Users

ENDINGS_NOTED: Final = "endings"
"""The name of the note that holds this database's position in the journal of endings."""

MINIMISED: Final = "minimised"
"""The name of the note that no rows of earlier versions are left to minimise; see bot.storage.minimising."""

TIED: Final = "tied"
"""The name of the note that no rows of earlier versions are left to tie; see bot.storage.tying."""

_ASKS_TIDIED: Final = "asks tidied"
"""The name of the note that holds the day on which we last tidied older Asks."""
_BATCH: Final = 500
_FEW: Final = 100
"""How many users' Asks we look at together."""
T = TypeVar("T")

_REST: Final = 2
"""How many times longer than its work a background job on everybody's rows rests."""
_PATIENCE: Final = 1.0
"""Seconds until we retry a user whose rows are locked."""

__all__ = ["Rows", "Store", "is_busy", "is_passing"]

_OF_EVERY_TURN: Final[tuple[Select[Any], ...]] = (
    FIND_USER, AWAITED, LATEST_ASK, LAST_MESSAGE, LATEST_OPENING, CURRENT_PAGE, ACTIVE_PAIR, LOOKS_PAIRED,
)  # fmt: skip
_OF_AN_ASK: Final[tuple[Select[Any], ...]] = (
    FIND_USER, AWAITED, LATEST_ASK, LOOKS_PAIRED, FIND_ASK, SHOWN_PROMPTS,
)  # fmt: skip
_EARLIEST_DUE: Final = select(NEXT_ASK_AT.scalar_subquery().label("ask"), EARLIEST.scalar_subquery().label("notice"))


async def earliest_due(url: str) -> datetime | None:
    """Return when something is next due in the database at `url`, which another process may be using."""
    database = connect(url)
    try:
        async with database.reading() as connection:
            return await _earliest_due(connection)
    finally:
        await database.close()


async def endings_noted(url: str) -> str | None:
    """Return the position in the journal of endings of the database at `url`."""
    database = connect(url)
    try:
        async with database.reading() as connection:
            return await _note(connection, ENDINGS_NOTED)
    finally:
        await database.close()


async def zones_of_users(url: str) -> dict[int, str]:
    """Return the zones of all users who have set one. It reads all users, so it is only for the demo."""
    database = connect(url)
    try:
        async with database.reading() as connection:
            rows = await connection.execute(select(users.c.id, users.c.zone).where(users.c.zone.is_not(None)))
            return {row.id: row.zone for row in rows}
    finally:
        await database.close()


async def _earliest_due(connection: AsyncConnection) -> datetime | None:
    moments = (await connection.execute(_EARLIEST_DUE)).one()
    return min((moment for moment in moments if moment), default=None)


async def _note(connection: AsyncConnection, name: str) -> str | None:
    found = await connection.execute(select(notes.c.value).where(notes.c.name == name))
    return found.scalar_one_or_none()


@cache
def _take_note(dialect: str) -> Any:
    new = insert_into(dialect, notes)
    return new.on_conflict_do_update(index_elements=["name"], set_={"value": new.excluded.value})


@cache
def _lock_note(dialect: str) -> Any:
    """Another transaction that executes this waits until ours ends, even if the note was missing."""
    return insert_into(dialect, notes).on_conflict_do_update(index_elements=["name"], set_={"value": notes.c.value})


class Rows:
    """All rows, within one transaction."""

    def __init__(self, connection: DirectConnection, keys: KeyRing) -> None:
        self._connection = connection
        self._keys = keys
        self.master_keys = MasterKeys(connection, keys)
        self.users = Users(connection, keys, self.master_keys)
        self.dialogs = Dialogs(connection)
        self.prompt_ids = PromptIds(connection, self.users)
        self.asks = Asks(connection, self.prompt_ids)
        self.skipped = SkippedDates(connection)
        self.lines = Lines(connection, self.users, self.prompt_ids)
        self.drafts = Drafts(connection, self.users)
        self.journal = JournalPages(connection, self.users)
        self.reflections = Reflections(connection, self.users)
        self.responses = Responses(connection, self.users)
        self.expectations = Expectations(connection, self.users)
        self.follow_ups = FollowUps(connection, self.users)
        self.openings = Openings(connection)
        self.questions = KeptQuestions(connection, self.users)
        self.notices = Notices(connection)
        self.traces = Traces(connection)
        self.pairs = Pairs(connection, self.users)
        self.invites = Invites(connection, keys)
        self.rituals = Rituals(connection, self.users)
        self.records = Records(connection, self.users)
        self.exports = Exports(connection, self.users, self.prompt_ids, self.records)
        self.minimising = Minimising(connection, self.users, self.prompt_ids)
        self.imports = Imports(connection, self.users, self.prompt_ids, self.records)
        self.arrivals = Arrivals(connection, keys)
        self.inbox = Inbox(connection, keys)
        self.processes = Processes(connection, keys)
        self.seals = Seals(connection, keys)
        self.tying = Tying(connection, self.users)

    def prefetch_turn(self, user_id: int) -> None:
        """Have the next statement also read what nearly every turn of this user needs."""
        self._connection.prefetch({"user_id": user_id}, *_OF_EVERY_TURN)

    def prefetch_ask(self, user_id: int, ask_id: int) -> None:
        """Have the next statement also read what is needed to send this Ask. See `turn_to`."""
        self.turn_to(user_id)
        self._connection.prefetch({"user_id": user_id, "ask_id": ask_id}, *_OF_AN_ASK)

    def turn_to(self, user_id: int) -> None:
        """In a transaction about several users, do what follows for this one. It must not change what others read."""
        self._connection.turn_to(user_id)

    @property
    def due_at(self) -> datetime | None:
        """The earliest moment for which this transaction has planned something."""
        return min((moment for moment in (self.users.due_at, self.notices.due_at) if moment), default=None)

    async def sums(self) -> dict[str, int]:
        """Return the sums over all users that an operator may know."""
        counted = {
            "people": select(func.count()).select_from(users),
            "people asked daily": select(func.count()).select_from(users).where(users.c.next_ask_at.is_not(None)),
            "people who blocked the bot": select(func.count())
            .select_from(users)
            .where(users.c.blocked_at.is_not(None)),
            "lines kept": select(func.count()).select_from(lines),
            "messages waiting to be sent": select(func.count())
            .select_from(notices)
            .where(notices.c.settled_at.is_(None), notices.c.kind != NoticeKind.RECAP),  # everybody has one for Sunday
        }
        return {name: (await self._connection.execute(query)).scalar_one() for name, query in counted.items()}

    async def note(self, name: str) -> str | None:
        """Return one of the bot's own notes, such as which texts it has registered with Telegram."""
        return await _note(self._connection, name)

    async def refuse_moved(self) -> None:
        """Raise Moved if no bot may use this database; see bot.storage.moved."""
        await refuse_moved(self._connection)

    async def take_note(self, name: str, value: str) -> None:
        """Write a note, or replace it. Several processes may write the same one; the last one counts."""
        await self._connection.execute(_take_note(self._connection.dialect.name), {"name": name, "value": value})

    async def _hold_note(self, name: str) -> None:
        """Lock a note until this transaction ends. If it is missing, make it, empty."""
        await self._connection.execute(_lock_note(self._connection.dialect.name), {"name": name, "value": ""})

    async def append_endings(self, journal: Journal) -> None:
        """Write this transaction's endings to the journal and note the position, as the transaction's last step.

        The first statement locks the note, so that only one transaction at a time does this and the note never goes
        back.
        """
        await self._hold_note(ENDINGS_NOTED)
        await self.take_note(ENDINGS_NOTED, await asyncio.to_thread(journal.append, self.users.endings))

    async def subjects(self, kind: Ended, after: int | None, limit: int) -> list[int]:
        """Return the next ids of things that can end in this way, in order."""
        if kind is Ended.ERASED:  # also people who aren't users yet
            table: Any = union(select(users.c.id), select(arrivals.c.user_id)).subquery()
        else:
            table = self._table_of(kind)
        query = select(table.c.id).order_by(table.c.id).limit(limit)
        found = await self._connection.execute(query if after is None else query.where(table.c.id > after))
        return list(found.scalars())

    @staticmethod
    def _table_of(kind: Ended) -> Table:
        return {
            Ended.UNPAIRED: pairs,
            Ended.WITHDRAWN: reflections,
            Ended.DELETED: lines,
            Ended.CHANGED: reflections,
            Ended.RITUAL: rituals,
        }[kind]

    def find_ended(self, ids: Sequence[int], endings: Sequence[Ending]) -> list[tuple[int, Ending]]:
        """Return those of these ids that have ended, and how. Hashes made with a key we don't have match nothing."""
        found = []
        for version in {ending.version for ending in endings} & set(self._keys.versions):
            ended = {ending.hashes[0]: ending for ending in endings if ending.version == version}
            kind = endings[0].kind
            hashes = {each: hashed(self._keys, kind, 0, each, version=version) for each in ids}
            found += [(each, ended[hash_]) for each, hash_ in hashes.items() if hash_ in ended]
        return found

    def is_ended(self, ending: Ending, place: int, number: int) -> bool:
        """Return whether this is the id that the ending names in that place."""
        return hashed(self._keys, ending.kind, place, number, version=ending.version) == ending.hashes[place]

    async def people(self) -> int:
        """Return how many users there are."""
        return int((await self._connection.execute(select(func.count()).select_from(users))).scalar_one())

    async def note_to_change(self, name: str) -> str | None:
        """Return a note, locked against other transactions until this one ends, even if it is missing."""
        await self._hold_note(name)
        return await self.note(name) or None

    async def backlog(self, now: datetime) -> Backlog:
        """Return the Backlog."""
        return await look(self._connection, now)

    async def earliest_due(self) -> datetime | None:
        """Return when something is next due: an Ask to plan or a Notice to send."""
        return await _earliest_due(self._connection)


async def _tie(user_id: int, rows: Rows) -> bool:
    return await rows.tying.tie(user_id)


async def _minimise(user_id: int, place: Position, rows: Rows) -> Position | None:
    return await rows.minimising.minimise(user_id, place)


@asynccontextmanager
async def _taking_turns() -> AsyncIterator[None]:
    """Rest after some work for longer than it took, so that it never takes up most of the event loop or database."""
    began = time.monotonic()
    yield
    await asyncio.sleep(_REST * (time.monotonic() - began))


def _dates(done: date | None, today: date, kept: timedelta) -> tuple[date, date]:
    """Return the first date to tidy, and the date to stop before. `done` is the day of the last tidying."""
    return (done - kept if done else date.min), today - kept


class Store:
    """Opens transactions. Everything done in one is committed together or not at all."""

    def __init__(self, database: Database, keys: KeyRing, journal: Journal | None = None) -> None:
        """Endings are written to `journal`, which is None for a copy of the database."""
        self._database = database
        self._keys = keys
        self._journal = journal

    @classmethod
    def at(cls, url: str, keys: KeyRing, journal: Journal | None = None) -> "Store":
        return cls(connect(url), keys, journal)

    @asynccontextmanager
    async def writing(self, *user_ids: int, wait: bool = True) -> AsyncIterator[Rows]:
        """Begin a transaction that may change rows. It is committed at the end, or rolled back after an exception.

        Name the users it is for, as only one transaction per user runs at a time. Raises UserBusy if that takes too
        long, or at once if we don't `wait`.
        """
        TRANSACTIONS.inc("write")
        async with self._database.writing(*user_ids, wait=wait) as connection:
            rows = Rows(connection, self._keys)
            if len(user_ids) == 1 and wait:
                rows.prefetch_turn(*user_ids)
            yield rows
            if self._journal and rows.users.endings:
                await rows.append_endings(self._journal)
        if rows.users.removed_words:
            self._database.sweep_soon()

    @asynccontextmanager
    async def writing_first(self) -> AsyncIterator[Rows]:
        """Begin a transaction that may change rows. On SQLite it goes before all that wait for the single writer."""
        TRANSACTIONS.inc("write")
        async with self._database.writing_first() as connection:
            yield Rows(connection, self._keys)

    async def share_commit(self, within: float) -> None:
        """Wait until another transaction writes, to share its commit, but at most `within` seconds. Then write."""
        await self._database.share_commit(within)

    @asynccontextmanager
    async def writing_reserved(self) -> AsyncIterator[Rows]:
        """Begin a transaction that may change rows, for signs of life. It waits for no user's transaction."""
        async with self._database.writing_reserved() as connection:
            yield Rows(connection, self._keys)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Rows]:
        TRANSACTIONS.inc("read")
        async with self._database.reading() as connection:
            yield Rows(connection, self._keys)

    @asynccontextmanager
    async def reading_reserved(self) -> AsyncIterator[Rows]:
        """Begin a reading transaction for the metrics. It waits for no user's transaction."""
        async with self._database.reading_reserved() as connection:
            yield Rows(connection, self._keys)

    @property
    def connections(self) -> Connections:
        return self._database.connections

    async def is_well(self) -> bool:
        """Return whether the database accepts writes, on a connection that nothing in this process can hold up."""
        return await self._database.is_well()

    async def tie_all(self) -> int:
        """Tie, user by user, values that were sealed before there were ties. Return how many users had any.

        Users whose data key doesn't open are left out. Raises the first unexpected error, after all other users.
        Looking for such users reads all of them; once there are none, that is noted.
        """
        async with self.reading() as rows:
            if await rows.note(TIED):
                return 0
        tied, last, failed = 0, 0, list[Exception]()
        while True:
            async with self.reading() as rows:
                ids = await rows.users.with_untied(last, _BATCH)
            if not ids:
                break
            for user_id in ids:
                tied += bool(await self._change(user_id, partial(_tie, user_id), failed))
            last = ids[-1]
        if failed:
            raise failed[0]
        if not last:
            async with self.writing() as rows:
                await rows.take_note(TIED, "1")
        return tied

    async def minimise_all(self) -> int:
        """Minimise everybody's older rows, once; see bot.storage.minimising. Return how many users there were.

        Users whose data key doesn't open are left out. Raises the first unexpected error, after all other users.
        """
        async with self.reading() as rows:
            if await rows.note(MINIMISED):
                return 0
        done, last, failed = 0, 0, list[Exception]()
        while True:
            async with self.reading() as rows:
                ids = await rows.users.after(last, _BATCH)
            if not ids:
                break
            for user_id in ids:
                place: Position | None = Position()
                while place is not None:
                    async with _taking_turns():
                        place = await self._change(user_id, partial(_minimise, user_id, place), failed)
            done, last = done + len(ids), ids[-1]
        if failed:
            raise failed[0]
        async with self.writing() as rows:
            await rows.take_note(MINIMISED, "1")
        return done

    async def tidy_asks(self, today: date, *, messages_kept: timedelta, asks_kept: timedelta) -> int:
        """Remove rows about older Asks that are no longer needed, in small transactions. Return how many there were.

        These are the ids of messages that show Asks older than `messages_kept`, and unanswered Asks older than
        `asks_kept`. A user's latest Ask stays. It runs once a day and looks only at the dates since the last run; a
        second run on the same day does nothing.
        """
        async with self.reading() as rows:
            noted = await rows.note(_ASKS_TIDIED)
        done = date.fromisoformat(noted) if noted else None
        if done and done >= today:
            return 0
        removed, last = 0, 0
        while True:
            async with self.reading() as rows:
                if not (ids := await rows.users.after(last, _FEW)):
                    break
                messages = await rows.asks.past_messages(ids, *_dates(done, today, messages_kept))
                unanswered = await rows.asks.past_unanswered(ids, *_dates(done, today, asks_kept))
            for start in range(0, len(messages), _BATCH):
                async with self.writing() as rows:
                    await rows.asks.forget_messages(messages[start : start + _BATCH])
            for start in range(0, len(unanswered), _BATCH):
                async with self.writing() as rows:
                    await rows.asks.remove(unanswered[start : start + _BATCH])
            removed, last = removed + len(messages) + len(unanswered), ids[-1]
        async with self.writing() as rows:
            await rows.take_note(_ASKS_TIDIED, today.isoformat())
        return removed

    async def _change(self, user_id: int, work: Callable[[Rows], Awaitable[T]], failed: list[Exception]) -> T | None:
        """Do this work in a transaction for a user. None if their data key doesn't open.

        An unexpected error is added to `failed`, so that it concerns only this user.
        """
        while True:
            try:
                async with self.writing(user_id) as rows:
                    return await work(rows)
            except KeyMismatch:
                return None
            except Exception as error:
                if not is_busy(error):
                    if is_passing(error):
                        raise
                    failed.append(error)
                    return None
            await asyncio.sleep(_PATIENCE)

    async def sweep(self) -> bool:
        """Remove deleted content from the disk. False if some of it is still there; it goes a little later."""
        return await self._database.sweep()

    @property
    def swept(self) -> bool:
        """Whether no deleted content is left on the disk, as far as this process knows."""
        return self._database.swept

    async def remove_asides(self, *, before: datetime | None = None, user_id: int | None = None) -> None:
        """Remove files that restores put aside before a moment, or that contain this user."""
        await self._database.remove_asides(before=before, user_id=user_id)

    async def tidy_journal(self, today: date, before: date) -> None:
        """Drop endings before a day from the journal of endings. Raises JournalAway."""
        if self._journal:
            await asyncio.to_thread(self._journal.tidy, today, before)

    async def close(self) -> None:
        await self._database.close()
