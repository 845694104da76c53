"""A process among others: who leads, who is taken for dead and when, and that a frozen one does nothing more."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from bot.clock import HandClock
from bot.config import Config, WrongSettings
from bot.crypto import KeyRing
from bot.delivery.pacer import Others
from bot.fence import Fence
from bot.presence import DEAD, VALID, Duty, Presence, Role, TakenForDead, check_role
from bot.storage.inbox import Received
from bot.storage.store import Store
from tests.databases import PostgresServer

ALICE = 1


class Steady:
    """A clock that nobody sets, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
async def database_url(postgres: PostgresServer) -> AsyncIterator[str]:
    async with postgres.emptied() as url:
        yield url


@pytest.fixture
def steady() -> Steady:
    return Steady()


@pytest.fixture
def present(store: Store, clock: HandClock, steady: Steady) -> Callable[..., Presence]:
    def make(role: Role = Role.ALL) -> Presence:
        return Presence(store, clock, Fence(steady, until=0), role, now=steady)

    return make


async def beats(steady: Steady, *alive: Presence, seconds: float) -> None:
    """Let time pass for all, in which only these are alive."""
    for _ in range(int(seconds)):
        steady.seconds += 1
        for presence in alive:
            await presence.beat()
            await presence._remove_dead()


def may_send(presence: Presence) -> bool:
    return presence.fence.is_open


def leaders(duty: Duty, *presences: Presence) -> list[Presence]:
    return [presence for presence in presences if presence.leads(duty)]


@pytest.mark.process
class TestAmongOthers:
    async def test_first_of_those_that_can_leads(self, present: Callable[..., Presence], steady: Steady) -> None:
        worker, web, everything = present(Role.WORKER), present(Role.WEB), present(Role.ALL)
        for presence in (worker, web, everything):
            await presence.join()
        assert leaders(Duty.RECEIVING, worker, web, everything) == [web]
        assert leaders(Duty.KEEPING, worker, web, everything) == [worker]
        await web.leave()
        await worker.leave()
        await beats(steady, everything, seconds=1)
        assert leaders(Duty.RECEIVING, worker, web, everything) == [everything]
        assert leaders(Duty.KEEPING, worker, web, everything) == [everything]

    async def test_interrupted_join_is_completed(
        self, present: Callable[..., Presence], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The database goes away once our row is there; the start tries again until it succeeds."""
        presence = present()

        async def is_away(_: Presence) -> None:
            raise ConnectionError

        with monkeypatch.context() as patched:
            patched.setattr(Presence, "beat", is_away)
            with pytest.raises(ConnectionError):
                await presence.join()
        async with asyncio.timeout(20):
            await presence.join()
        assert leaders(Duty.KEEPING, presence) == [presence]

    async def test_still_process_is_replaced(
        self, present: Callable[..., Presence], steady: Steady, store: Store, clock: HandClock
    ) -> None:
        frozen, other = present(), present()
        await frozen.join()
        await other.join()
        async with store.writing() as rows:
            await rows.inbox.add([Received(1, ALICE, {})], frozen.owner, clock.now())
        await beats(steady, frozen, other, seconds=3)
        assert may_send(frozen)
        await beats(steady, other, seconds=VALID)
        assert not may_send(frozen), "it may not send any more"
        assert leaders(Duty.RECEIVING, frozen, other) == []
        await beats(steady, other, seconds=DEAD - VALID - 1)
        async with store.writing() as rows:
            assert await rows.inbox.adopt(other.owner, clock.now(), alone=False) == []
        await beats(steady, other, seconds=2)
        async with store.writing() as rows:
            assert await rows.inbox.adopt(other.owner, clock.now(), alone=False) == [(1, ALICE)]
        assert leaders(Duty.RECEIVING, frozen, other) == [other]
        with pytest.raises(TakenForDead):
            await frozen.beat()
        assert not may_send(frozen)
        frozen.fence.renew(steady() + 100)
        assert not may_send(frozen), "not even if a beat of before comes back late"

    async def test_returning_process_buries_nobody(self, present: Callable[..., Presence], steady: Steady) -> None:
        """After an outage of the database, the first process to come back must not take over the others' claims."""
        one, other = present(), present()
        await one.join()
        await other.join()
        await beats(steady, one, other, seconds=2)
        steady.seconds += 60
        assert not may_send(one)
        await beats(steady, other, seconds=DEAD - 2)
        await one.beat()
        assert may_send(one)

    async def test_leaving_releases_claims(
        self, present: Callable[..., Presence], store: Store, clock: HandClock
    ) -> None:
        leaving, other = present(), present()
        await leaving.join()
        await other.join()
        async with store.writing() as rows:
            await rows.inbox.add([Received(1, ALICE, {})], leaving.owner, clock.now())
        await leaving.leave()
        assert not may_send(leaving)
        async with store.writing() as rows:
            assert await rows.inbox.adopt(other.owner, clock.now(), alone=False) == [(1, ALICE)]

    async def test_turns_are_divided_once_all_know(self, present: Callable[..., Presence], steady: Steady) -> None:
        one, web, other = present(), present(Role.WEB), present(Role.WORKER)
        heard: dict[Presence, list[Others]] = {one: [], web: [], other: []}
        for presence, list_ in heard.items():
            presence.on_seen = list_.append
            await presence.join()
        assert (part := heard[one][-1].part)
        assert (part.index, part.count) == (0, 1), "whoever is first need not wait"
        assert heard[other][-1].part is None
        await beats(steady, one, web, other, seconds=3)
        parts = {presence: list_[-1].part for presence, list_ in heard.items()}
        assert parts[web] is None, "it sends nothing"
        assert [(part.index, part.count) for part in (parts[one], parts[other]) if part] == [(0, 2), (1, 2)]

    async def test_holds_and_answers_are_told(self, present: Callable[..., Presence], steady: Steady) -> None:
        one, other = present(), present()
        heard: list[Others] = []
        other.on_seen = heard.append
        await one.join()
        await other.join()
        one.hold(ALICE, 30)
        one.pass_on = lambda: 4
        await beats(steady, one, other, seconds=1)
        assert heard[-1].holds.keys() == {ALICE}
        assert heard[-1].answers == 4
        one.pass_on = lambda: 0
        await beats(steady, one, other, seconds=1)
        assert heard[-1].answers == 0


async def test_whoever_is_alone_does_everything(clock: HandClock) -> None:
    nowhere = Store.at("sqlite+aiosqlite:////nowhere/ajar.db", KeyRing.new())
    presence = Presence(nowhere, clock, None)
    await presence.join()
    assert all(presence.leads(duty) for duty in Duty)
    await presence.leave()
    await nowhere.close()


WEBHOOK = {"webhook_url": "https://bot.example.org/telegram", "webhook_secret": "Zq4-between-us_" * 2}
POSTGRES = {"database": "postgresql://ajar@localhost/ajar"}


@pytest.mark.parametrize(
    ("role", "settings", "named"),
    [
        (Role.WEB, {}, "SQLite"),
        (Role.WORKER, {}, "SQLite"),
        (Role.WEB, POSTGRES, "AJAR_WEBHOOK_URL"),
        (Role.WEB, WEBHOOK, "SQLite"),
    ],
)
def test_role_that_cannot_work_is_refused(role: Role, settings: dict[str, str], named: str) -> None:
    with pytest.raises(WrongSettings, match=named):
        check_role(role, Config(**settings))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("role", "settings"),
    [(Role.ALL, {}), (Role.WORKER, POSTGRES), (Role.WEB, POSTGRES | WEBHOOK), (Role.WORKER, POSTGRES | WEBHOOK)],
)
def test_every_other_role_is_allowed(role: Role, settings: dict[str, str]) -> None:
    check_role(role, Config(**settings))  # type: ignore[arg-type]
