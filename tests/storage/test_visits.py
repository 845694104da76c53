"""What SQLite's thread does in few visits looks as if every statement were executed at once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError

from bot.clock import HandClock
from bot.crypto import KeyRing
from bot.domain.model import AskState, Dialog, User, Waiting
from bot.domain.notices import NoticeKind
from bot.storage.migrate import migrate
from bot.storage.sqlite import Connection
from bot.storage.store import Rows, Store
from tests.databases import sqlite_url
from tests.standin import TEST_KEY
from tests.storage.people import ALICE, BOB, asked, kept, ready


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    url = sqlite_url(tmp_path / "ajar.db")
    await migrate(url)
    store = Store.at(url, KeyRing.parse(TEST_KEY))
    yield store
    await store.close()


@pytest.fixture
async def alice(store: Store, clock: HandClock) -> User:
    async with store.writing() as rows:
        return await ready(rows, ALICE, clock.now())


@pytest.fixture
def visits(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """One entry for each visit to SQLite's thread."""
    counted: list[object] = []
    visit = Connection.visit

    async def count(self: Connection, work: object, *arguments: object) -> object:
        counted.append(work)
        return await visit(self, work, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Connection, "visit", count)
    return counted


async def test_turn_that_reads_what_every_turn_reads_makes_two_visits(
    store: Store, clock: HandClock, alice: User, visits: list[object]
) -> None:
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
    assert len(visits) == 2, "one that reads, one that writes and commits"


async def test_what_was_read_ahead_is_read_again_once_it_changed(store: Store, clock: HandClock, alice: User) -> None:
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


async def test_next_of_those_who_share_a_commit_reads_what_the_one_before_wrote(
    store: Store, clock: HandClock, alice: User
) -> None:
    seen = []

    async def asks_again(day: int) -> None:
        async with store.writing(ALICE) as rows:
            latest = await rows.asks.latest(ALICE)
            seen.append(latest and latest.day)
            await asked(rows, alice, clock.now() + timedelta(days=day))

    await asyncio.gather(*(asks_again(day) for day in range(5)))
    assert seen == [None, *((clock.now() + timedelta(days=day)).date() for day in range(4))]


@pytest.mark.parametrize("together", [1, 2, 9])
async def test_write_that_was_put_off_fails_its_own_transaction_only(
    store: Store, clock: HandClock, together: int
) -> None:
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


async def test_nothing_of_a_transaction_that_fails_is_written_later(
    store: Store, clock: HandClock, alice: User
) -> None:
    async def keeps(message_id: int, *, fails: bool) -> None:
        async with store.writing(ALICE) as rows:
            await kept(rows, alice, "a line", clock.now(), message_id=message_id)
            if fails:
                raise LookupError

    results = await asyncio.gather(*(keeps(n, fails=n % 2 == 0) for n in range(4)), return_exceptions=True)
    assert [type(result) for result in results] == [LookupError, type(None)] * 2
    async with store.reading() as rows:
        assert [line.message_id for line in await rows.lines.page(ALICE, None, 9)] == [3, 1]


async def test_statements_mean_the_same_as_executed_by_sqlalchemy(store: Store, clock: HandClock, alice: User) -> None:
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
            await rows.notices.claim(now, 5, 1, but=[3]),
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
