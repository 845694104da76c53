"""What a receiver has opened is theirs alone, and stays the same whatever the sharer does."""

from datetime import timedelta

import pytest

from bot.clock import HandClock
from bot.domain.model import User
from bot.domain.sharing import Opening
from bot.storage.store import Store
from tests.storage.people import ALICE, BOB, ready

PAIR = 7
HOUR = timedelta(hours=1)


@pytest.fixture
async def alice(store: Store, clock: HandClock) -> User:
    async with store.writing() as rows:
        return await ready(rows, ALICE, clock.now())


@pytest.fixture
async def bob(store: Store, clock: HandClock) -> User:
    async with store.writing() as rows:
        return await ready(rows, BOB, clock.now())


async def test_newest_opening_is_the_latest(store: Store, clock: HandClock, bob: User) -> None:
    now = clock.now()
    async with store.writing() as rows:
        for reflection_id, ago in ((1, 50), (2, 40), (3, 30)):
            await rows.openings.add(Opening(bob.id, reflection_id, PAIR, now - timedelta(minutes=ago)))
        await rows.openings.answer(BOB, 3)
        latest = await rows.openings.latest(BOB, now - HOUR)
        assert latest
        assert (latest.reflection_id, latest.pair_id, latest.answered) == (3, PAIR, True)
        assert await rows.openings.latest(BOB, now - timedelta(minutes=30)) is None, "not one that old"
        assert await rows.openings.latest(ALICE, now - HOUR) is None


async def test_message_shows_what_its_owner_opened(store: Store, clock: HandClock, alice: User, bob: User) -> None:
    async with store.writing() as rows:
        for user in (alice, bob):
            await rows.openings.add(Opening(user.id, 1, PAIR, clock.now()))
        await rows.openings.show_on(BOB, 1, 70)
        shown = await rows.openings.shown_by(BOB, 70)
        assert shown
        assert shown.user_id == BOB
        assert await rows.openings.shown_by(ALICE, 70) is None
        assert await rows.openings.shown_by(BOB, 71) is None


async def test_opening_belongs_to_its_receiver(store: Store, clock: HandClock, alice: User, bob: User) -> None:
    async with store.writing() as rows:
        await rows.openings.add(Opening(bob.id, 1, PAIR, clock.now()))
        await rows.users.erase(alice.id)
        assert await rows.openings.find(BOB, 1)
        await rows.users.erase(bob.id)
        assert await rows.openings.find(BOB, 1) is None
