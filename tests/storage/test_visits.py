"""Fewer trips to the database have the same effect as executing every statement at once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import NoReturn

import asyncpg
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError

from bot.clock import HandClock
from bot.crypto import KeyRing
from bot.domain.model import Ask, AskState, Dialog, User, Waiting
from bot.domain.notices import NoticeKind
from bot.domain.results import Outdated
from bot.domain.sharing import Reflection
from bot.domain.undecided import Undecided, Waits
from bot.services.undecided import Deciding
from bot.services.visit import Visit
from bot.storage.engine import sqlite_file
from bot.storage.ids import new_id
from bot.storage.postgres import PostgresConnection
from bot.storage.sqlite import Connection
from bot.storage.store import Rows, Store, is_passing
from tests.databases import PostgresServer
from tests.storage.people import ALICE, BOB, asked, kept, ready


@pytest.fixture
async def alice(store: Store, clock: HandClock) -> User:
    async with store.writing() as rows:
        return await ready(rows, ALICE, clock.now())


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """One entry for each visit to SQLite's thread, and for each trip to PostgreSQL but the COMMIT."""
    counted: list[object] = []

    def count(kind: type, name: str) -> None:
        go = getattr(kind, name)

        async def counting(self: object, work: object, *arguments: object) -> object:
            counted.append(work)
            return await go(self, work, *arguments)

        monkeypatch.setattr(kind, name, counting)

    count(Connection, "work")
    count(PostgresConnection, "_trip")
    return counted


async def test_usual_turn_makes_few_trips(
    store: Store, database_url: str, clock: HandClock, alice: User, trips: list[object]
) -> None:
    trips.clear()
    async with store.writing(ALICE) as rows:
        user = await rows.users.find(ALICE)
        assert user == alice
        assert await rows.dialogs.find(ALICE, clock.now()) is None
        assert not await rows.dialogs.forget(ALICE)
        assert await rows.asks.latest(ALICE) is None
        assert await rows.pairs.active(ALICE) is None
        assert not await rows.pairs.looks_active_to(ALICE)
        await rows.users.change(user, zone="UTC")
        await rows.inbox.answered([1])
    if sqlite_file(database_url):
        assert len(trips) == 2, "one that reads, one that writes and commits"
    else:
        assert len(trips) == 3, "one that begins and locks, one that reads, one that writes"


async def ask_all(store: Store, asks: Sequence[Ask], now: datetime) -> None:
    """What is read and written to send these Asks in one transaction."""
    async with store.writing(*[ask.user_id for ask in asks], wait=False) as rows:
        claimed = await rows.notices.claim(now, 99, 1)
        for ask in asks:
            rows.prefetch_ask(ask.user_id, ask.id)
        for ask in asks:
            rows.turn_to(ask.user_id)
            assert await rows.users.find(ask.user_id)
            assert await rows.asks.find(ask.user_id, ask.id) == await rows.asks.latest(ask.user_id) == ask
            assert not await rows.dialogs.forget(ask.user_id)
            assert not await rows.pairs.looks_active_to(ask.user_id)
            assert len(await rows.asks.shown(ask.user_id)) == ask.user_id % 3
            await rows.asks.asked(ask, shown_at=now)
            await rows.asks.leave_others(ask)
            await rows.asks.set_prompt(ask, f"prompt {ask.user_id}", now)
        assert len(await rows.notices.sending_all(claimed)) == len(asks)


async def test_many_asks_need_hardly_more_trips_than_one(store: Store, clock: HandClock, trips: list[object]) -> None:
    now, needed = clock.now(), []
    for first, count in ((1, 1), (11, 2), (21, 9)):
        people = range(first, first + count)
        async with store.writing() as rows:
            asks = [await asked(rows, await ready(rows, each, now), now, state=AskState.DUE) for each in people]
            await rows.notices.add([(ask.user_id, NoticeKind.ASK, ask.id, now) for ask in asks], now)
            for each in people:
                for number in range(each % 3):
                    await rows.asks.remember_shown(each, f"earlier {number}", now)
        trips.clear()
        await ask_all(store, asks, now)
        needed.append(len(trips))
        async with store.reading() as rows:
            for ask in asks:
                sent = await rows.asks.find(ask.user_id, ask.id)
                assert sent
                assert (sent.state, sent.prompt_id) == (AskState.OPEN, f"prompt {ask.user_id}")
                shown = {f"prompt {ask.user_id}", *(f"earlier {number}" for number in range(ask.user_id % 3))}
                assert set(await rows.asks.shown(ask.user_id)) == shown
                assert not await rows.notices.unsaid(ask.user_id, NoticeKind.ASK)
    assert needed[1] == needed[2] <= needed[0] + 1


async def test_what_was_read_for_others_stays_true(
    store: Store, clock: HandClock, alice: User, trips: list[object]
) -> None:
    now = clock.now()
    async with store.writing() as rows:
        hers, his = await asked(rows, alice, now), await asked(rows, await ready(rows, BOB, now), now)
    async with store.writing(ALICE, BOB) as rows:
        for ask in (hers, his):
            rows.prefetch_ask(ask.user_id, ask.id)
        rows.turn_to(ALICE)
        assert await rows.asks.find(ALICE, hers.id) == hers
        await rows.asks.asked(hers, snoozed_until=now)
        changed = await rows.asks.find(ALICE, hers.id)
        assert changed
        assert changed.snoozed_until == now
        trips.clear()
        rows.turn_to(BOB)
        assert await rows.asks.latest(BOB) == his
        assert not trips


async def test_all_previews_are_compared_at_once(
    store: Store, clock: HandClock, alice: User, trips: list[object]
) -> None:
    now, counts = clock.now(), []
    for message in range(1, 4):
        async with store.writing(ALICE) as rows:
            line = await kept(rows, alice, "Rain all day.", now, message_id=message)
            preview = Reflection(new_id(now), ALICE, BOB, 7, line_id=line.id)
            await rows.reflections.draft(preview, "Rain all day.", now)
            await rows.traces.note(ALICE, message, now)
            await rows.traces.asks(ALICE, message, Undecided(Waits.SHARE, preview.id))
        async with store.writing(ALICE) as rows:
            trips.clear()
            assert await Deciding({}).find(Visit(rows, alice, now)) == Outdated()
            counts.append(len(trips))
    assert len(set(counts)) == 1, counts


async def test_changed_rows_are_read_again(store: Store, clock: HandClock, alice: User) -> None:
    now = clock.now()
    async with store.writing(ALICE) as rows:
        ask = await asked(rows, alice, now)
        assert await rows.asks.latest(ALICE) == ask
        await rows.asks.decide(ask, AskState.ANSWERED)
        found = await rows.asks.latest(ALICE)
        assert found
        assert found.state is AskState.ANSWERED
        awaited = Dialog(Waiting.CHANGE, 7, now + timedelta(hours=1))
        await rows.dialogs.await_(ALICE, awaited)
        assert await rows.dialogs.find(ALICE, now) == awaited
        assert await rows.dialogs.forget(ALICE)
        assert await rows.dialogs.find(ALICE, now) is None
        bob = await ready(rows, BOB, now)
        assert await rows.pairs.make(ALICE, bob.id, now)
        assert await rows.pairs.looks_active_to(ALICE)
        await rows.users.erase(ALICE)
        assert await rows.users.find(ALICE) is None
        assert await rows.asks.latest(ALICE) is None


async def test_turn_reads_earlier_writes(store: Store, clock: HandClock, alice: User) -> None:
    seen = []

    async def asks_again() -> None:
        async with store.writing(ALICE) as rows:
            latest = await rows.asks.latest(ALICE)
            seen.append(latest and latest.day)
            await asked(rows, alice, clock.now() + timedelta(days=len(seen)))

    await asyncio.gather(*(asks_again() for _ in range(5)))
    assert seen[0] is None
    assert len(set(seen)) == len(seen), "each saw the one before it, on SQLite within one commit"


@pytest.mark.parametrize("together", [1, 2, 9])
async def test_deferred_write_fails_its_own_transaction(store: Store, clock: HandClock, together: int) -> None:
    """There is a Notice about subject 0 already; whoever adds another one fails, and nobody else is disturbed."""
    now = clock.now()

    async def add(subject_id: int) -> None:
        async with store.writing() as rows:
            await rows.notices.add([(ALICE, NoticeKind.ASK, subject_id, now)], now)

    await add(0)
    results = await asyncio.gather(*(add(n) for n in range(together)), return_exceptions=True)
    assert [type(result) for result in results] == [IntegrityError] + [type(None)] * (together - 1)
    async with store.reading() as rows:
        assert await rows.notices.unsaid(ALICE, NoticeKind.ASK) == set(range(together))


async def test_failed_transaction_writes_nothing_later(store: Store, clock: HandClock, alice: User) -> None:
    async def keeps(message_id: int, *, fails: bool) -> None:
        async with store.writing(ALICE) as rows:
            await kept(rows, alice, "a line", clock.now(), message_id=message_id)
            if fails:
                raise LookupError

    results = await asyncio.gather(*(keeps(n, fails=n % 2 == 0) for n in range(4)), return_exceptions=True)
    assert [type(result) for result in results] == [LookupError, type(None)] * 2
    async with store.reading() as rows:
        assert {line.message_id for line in await rows.lines.page(ALICE, None, 9)} == {1, 3}


async def test_direct_statements_match_sqlalchemy(store: Store, clock: HandClock, alice: User) -> None:
    """SQLAlchemy executes them itself where somebody listens to its events."""
    now = clock.now()

    async def all_of(rows: Rows) -> list[object]:
        await rows.dialogs.await_(ALICE, Dialog(Waiting.CHANGE, 7, now))
        ask = await rows.asks.latest(ALICE)
        assert ask
        return [
            await rows.users.find(ALICE),
            await rows.users.due(now + timedelta(days=2), 5),
            ask,
            await rows.asks.decide(ask, AskState.OPEN),
            await rows.asks.decide(ask, AskState.LEFT, snoozed_until=now),
            await rows.asks.decide(ask, AskState.OPEN),
            await rows.dialogs.find(ALICE, now - timedelta(hours=1)),
            await rows.lines.answered(ALICE, 3),
            await rows.lines.from_message(ALICE, 7),
            await rows.notices.claim(now, 5, 1, excluding=[3]),
            await rows.notices.claim(now, 5, 1),
        ]

    async def played(*, listening: bool) -> list[object]:
        heard: list[object] = []

        def listen(*about: object) -> None:
            heard.append(about)

        if listening:
            event.listen(Engine, "before_cursor_execute", listen)
        try:
            async with store.writing(ALICE) as rows:
                found = await all_of(rows)
                await rows._connection.exec_driver_sql("UPDATE asks SET state = 'open', snoozed_until = NULL")
        finally:
            if listening:
                event.remove(Engine, "before_cursor_execute", listen)
        assert bool(heard) == listening
        return found

    async with store.writing() as rows:
        await kept(rows, alice, "a line", now, ask=await asked(rows, alice, now))
    assert await played(listening=False) == await played(listening=True)


async def test_changes_keep_their_order(store: Store, clock: HandClock, alice: User) -> None:
    """Several go in one statement on PostgreSQL, but none that would have to see another one's effect."""
    now = clock.now()
    async with store.writing(ALICE) as rows:
        for zone in ("Europe/Vienna", "Asia/Tokyo"):
            await rows.users.change(alice, zone=zone)
        await rows.notices.add([(ALICE, NoticeKind.ASK, subject, now) for subject in range(3)], now)
        await rows.notices.cancel_for_ask(1, now)
        await rows.notices.add([(ALICE, NoticeKind.ASK, 1, now)], now)
        await rows.users.change(alice, depth=2)
    async with store.reading() as rows:
        user = await rows.users.find(ALICE)
        assert user
        assert (user.zone, user.depth) == ("Asia/Tokyo", 2)
        assert await rows.notices.unsaid(ALICE, NoticeKind.ASK) == {0, 1, 2}


async def test_savepoint_keeps_earlier_work(store: Store, clock: HandClock) -> None:
    now = clock.now()
    async with store.writing(ALICE) as rows:
        await rows.notices.add([(ALICE, NoticeKind.ASK, 1, now)], now)
        async with rows._connection.begin_nested() as part:
            await rows.notices.add([(ALICE, NoticeKind.ASK, 2, now)], now)
            await part.rollback()
        await rows.notices.add([(ALICE, NoticeKind.ASK, 3, now)], now)
    async with store.reading() as rows:
        assert await rows.notices.unsaid(ALICE, NoticeKind.ASK) == {1, 3}


class TestOnPostgres:
    @pytest.fixture
    async def store(self, postgres: PostgresServer, keys: KeyRing) -> AsyncIterator[Store]:
        async with postgres.emptied() as url:
            store = Store.at(url, keys)
            yield store
            await store.close()

    async def test_lost_idle_connection_is_replaced(self, postgres: PostgresServer, store: Store, alice: User) -> None:
        end_them = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database()"
        await postgres.run(f"{end_them} AND pid <> pg_backend_pid()", database=postgres._own)
        async with store.writing(ALICE) as rows:
            assert await rows.users.find(ALICE) == alice
        await postgres.run(f"{end_them} AND pid <> pg_backend_pid()", database=postgres._own)
        async with store.reading() as rows:
            assert await rows.users.find(ALICE) == alice

    @pytest.mark.usefixtures("alice")
    @pytest.mark.parametrize("error", [TimeoutError("no answer"), AssertionError(), asyncpg.InterfaceError("closed")])
    async def test_broken_trip_counts_as_passing(
        self, store: Store, error: Exception, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Otherwise what was to be written would be given up."""

        async def breaks(*_: object) -> NoReturn:
            raise error

        with monkeypatch.context() as patched:
            patched.setattr(asyncpg.Connection, "fetch", breaks)
            with pytest.raises((OSError, DBAPIError)) as raised:
                async with store.writing(ALICE) as rows:
                    await rows.users.find(ALICE)
        assert is_passing(raised.value)
        async with store.reading() as rows:
            assert await rows.users.find(ALICE)

    async def test_change_leaves_prefetching_to_the_first_read(
        self, store: Store, clock: HandClock, alice: User, trips: list[object]
    ) -> None:
        """A change drops what was read before it."""
        trips.clear()
        async with store.writing(ALICE) as rows:
            await rows.notices.cancel(NoticeKind.ASK, 7, clock.now())
            assert await rows.users.find(ALICE) == alice
            assert await rows.pairs.active(ALICE) is None
        assert len(trips) == 3, "one that begins and locks, one that changes, one that reads"

    @pytest.mark.usefixtures("patient_locks", "alice")
    async def test_rows_are_reread_after_a_wait(self, store: Store, clock: HandClock) -> None:
        """Somebody who pairs with Alice does so in a transaction of their own, for which hers waits."""
        now = clock.now()
        async with store.writing() as rows:
            await rows.notices.add([(ALICE, NoticeKind.ASK, 7, now)], now)
        async with store.writing(BOB) as bobs:
            bob = await ready(bobs, BOB, now)
            assert await bobs.notices.cancel(NoticeKind.ASK, 7, now)

            async def hers() -> bool:
                async with store.writing(ALICE) as rows:
                    assert not await rows.pairs.looks_active_to(ALICE)
                    reading.set()
                    assert not await rows.notices.cancel(NoticeKind.ASK, 7, now), "Bob's transaction was first"
                    return await rows.pairs.looks_active_to(ALICE)

            reading = asyncio.Event()
            task = asyncio.create_task(hers())
            await reading.wait()
            assert await bobs.pairs.make(ALICE, bob.id, now)
        assert await task
