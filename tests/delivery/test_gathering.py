"""Notices are decided about together, but nobody waits or fails because of somebody else."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from bot.crypto import KeyRing
from bot.delivery.gathering import Gathering
from bot.domain.notices import Notice, NoticeKind
from bot.storage import engine
from bot.storage.store import Rows, Store
from tests.databases import PostgresServer

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PEOPLE = range(1, 6)
FIRST, BAD = PEOPLE[0], PEOPLE[2]


def notice(user_id: int) -> Notice:
    return Notice(user_id, user_id, NoticeKind.ASK, user_id, NOW, attempts=1, owner=1)


class Decided:
    """Whom each transaction was about. What it has decided about somebody is their id, and is stored as a Notice."""

    def __init__(self, bad: int | None = None) -> None:
        self.together: list[list[int]] = []
        self._bad = bad

    async def __call__(self, rows: Rows, notices: Sequence[Notice]) -> list[int]:
        ids = [each.user_id for each in notices]
        self.together.append(ids)
        await rows.notices.add([(each, NoticeKind.REMINDER, each, NOW) for each in ids], NOW)
        if self._bad in ids:
            raise LookupError
        return ids


@asynccontextmanager
async def opened(url: str, keys: KeyRing) -> AsyncIterator[Store]:
    store = Store.at(url, keys)
    yield store
    await store.close()


async def decide_about_all(store: Store, decided: Decided) -> list[int | BaseException]:
    gathering = Gathering(store, decided)
    return await asyncio.gather(*(gathering.together(notice(each)) for each in PEOPLE), return_exceptions=True)


async def stored(store: Store) -> set[int]:
    async with store.reading() as rows:
        return {each for each in PEOPLE if await rows.notices.is_open(NoticeKind.REMINDER, each)}


async def test_those_who_come_meanwhile_share_a_transaction(store: Store) -> None:
    decided = Decided()
    assert await decide_about_all(store, decided) == list(PEOPLE)
    assert decided.together == [[FIRST], list(PEOPLE[1:])]
    assert await stored(store) == set(PEOPLE)


async def test_failure_concerns_only_whoever_it_is_about(store: Store) -> None:
    found = await decide_about_all(store, Decided(bad=BAD))
    assert [each for each in found if isinstance(each, int)] == [each for each in PEOPLE if each != BAD]
    assert isinstance(found[BAD - FIRST], LookupError)
    assert await stored(store) == set(PEOPLE) - {BAD}


async def test_nobody_waits_for_somebody_who_is_busy(
    postgres: PostgresServer, keys: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL, where a transaction locks its users."""
    monkeypatch.setattr(engine, "_USER_WAIT", 120)
    async with postgres.emptied() as url, opened(url, keys) as store:
        gathering = Gathering(store, Decided())
        async with store.writing(BAD):
            tasks = {each: asyncio.create_task(gathering.together(notice(each))) for each in PEOPLE}
            busy = tasks.pop(BAD)
            _, waiting = await asyncio.wait(tasks.values(), timeout=20)
            assert not waiting
            assert not busy.done()
        assert await busy == BAD


async def test_failed_commit_is_not_tried_again(store: Store) -> None:
    """It may have happened. Then the Notices count as begun, and would seem to be somebody else's."""

    class Unsure(Store):
        @asynccontextmanager
        async def writing(self, *user_ids: int, wait: bool = True) -> AsyncIterator[Rows]:
            async with super().writing(*user_ids, wait=wait) as rows:
                yield rows
            raise ConnectionError

    store.__class__ = Unsure
    decided = Decided()
    assert {type(each) for each in await decide_about_all(store, decided)} == {ConnectionError}
    assert decided.together == [[FIRST], list(PEOPLE[1:])]


async def test_cancelled_transaction_is_not_tried_again(store: Store) -> None:
    """Its commit may have happened, too, when the bot is told to stop."""
    began, decided = asyncio.Event(), Decided()

    async def decide(rows: Rows, notices: Sequence[Notice]) -> list[int]:
        found = await decided(rows, notices)
        if len(notices) > 1:
            began.set()
            await asyncio.Event().wait()
        return found

    gathering = Gathering(store, decide)
    first, deciding, *waiting = (asyncio.create_task(gathering.together(notice(each))) for each in PEOPLE)
    await asyncio.wait_for(began.wait(), 20)
    deciding.cancel()
    found = await asyncio.gather(first, deciding, *waiting, return_exceptions=True)
    assert [type(each) for each in found] == [int, *[asyncio.CancelledError] * 4]
    assert decided.together == [[FIRST], list(PEOPLE[1:])]
