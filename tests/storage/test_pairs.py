"""Pairs and Invites on both databases: what a race can do, and what is left behind."""

import asyncio
from datetime import datetime, timedelta

import pytest

from bot.clock import HandClock
from bot.crypto import KeyRing
from bot.domain.invitations import read_code, read_link
from bot.domain.model import Invite, Pair
from bot.storage.store import Rows, Store

ALICE, BOB, CHARLIE, DORA = 1001, 1002, 1003, 1004
DAY = timedelta(hours=24)


@pytest.fixture
async def now(store: Store, clock: HandClock) -> datetime:
    """Four people who have consented."""
    async with store.writing() as rows:
        for user_id in (ALICE, BOB, CHARLIE, DORA):
            await rows.users.add(user_id, "en", clock.now())
    return clock.now()


async def made(store: Store, a: int, b: int, now: datetime) -> Pair | None:
    async with store.writing(a) as rows:
        return await rows.pairs.make(a, b, now)


async def invited(store: Store, user_id: int, now: datetime) -> Invite:
    async with store.writing(user_id) as rows:
        return await rows.invites.make(user_id, now + DAY)


async def claimed(store: Store, user_id: int, now: datetime, **secret: str) -> Invite | None:
    async with store.writing(user_id) as rows:
        return await rows.invites.claim(user_id, **secret, now=now)


async def active(store: Store, *user_ids: int) -> list[Pair | None]:
    async with store.reading() as rows:
        return [await rows.pairs.active(user_id) for user_id in user_ids]


async def test_pair_is_found_from_both(store: Store, now: datetime) -> None:
    pair = await made(store, ALICE, BOB, now)
    assert pair
    assert await active(store, ALICE, BOB, CHARLIE) == [pair, pair, None]
    assert (pair.partner_of(ALICE), pair.partner_of(BOB)) == (BOB, ALICE)
    with pytest.raises(LookupError):
        pair.partner_of(CHARLIE)


@pytest.mark.parametrize("second", [(ALICE, CHARLIE), (CHARLIE, ALICE), (BOB, CHARLIE), (CHARLIE, BOB), (BOB, ALICE)])
async def test_nobody_is_in_two_pairs(store: Store, now: datetime, second: tuple[int, int]) -> None:
    pair = await made(store, ALICE, BOB, now)
    assert await made(store, *second, now) is None
    assert await active(store, ALICE, BOB, CHARLIE) == [pair, pair, None]


async def test_concurrent_pairing_makes_one_pair_each(store: Store, now: datetime) -> None:
    wanted = [(ALICE, BOB), (BOB, ALICE), (BOB, CHARLIE), (CHARLIE, DORA), (DORA, ALICE), (CHARLIE, ALICE)]
    pairs = [pair for pair in await asyncio.gather(*(made(store, a, b, now) for a, b in wanted)) if pair]
    assert pairs
    assert len({user_id for pair in pairs for user_id in (pair.a, pair.b)}) == 2 * len(pairs)
    found = {pair.id for pair in await active(store, ALICE, BOB, CHARLIE, DORA) if pair}
    assert found == {pair.id for pair in pairs}


async def test_left_partner_hears_of_it_once(store: Store, now: datetime) -> None:
    pair = await made(store, ALICE, BOB, now)
    assert pair
    async with store.writing(ALICE) as rows:
        assert await rows.pairs.end(pair, ALICE)
        assert not await rows.pairs.end(pair, ALICE)
    async with store.writing(BOB) as rows:
        assert await rows.pairs.active(BOB) is None
        assert [await rows.pairs.looks_active_to(user_id) for user_id in (ALICE, BOB)] == [False, True]
        assert [await rows.pairs.tell_ended(user_id) for user_id in (ALICE, BOB, BOB)] == [False, True, False]
        assert not await rows.pairs.looks_active_to(BOB)


async def test_new_pair_starts_empty(store: Store, now: datetime) -> None:
    pair = await made(store, ALICE, BOB, now)
    assert pair
    async with store.writing(ALICE) as rows:
        await rows.pairs.end(pair, ALICE)
    again = await made(store, BOB, ALICE, now)
    assert again
    assert again.id != pair.id
    async with store.writing(BOB) as rows:
        assert not await rows.pairs.tell_ended(BOB)


async def test_invite_stores_neither_link_nor_code(store: Store, now: datetime) -> None:
    invite = await invited(store, ALICE, now)
    async with store.reading() as rows:
        secrets = await rows.invites.secrets(invite)
    assert secrets
    assert read_link(secrets.link) == secrets.link
    assert read_code(secrets.code) == secrets.code
    assert (found := await claimed(store, BOB, now, link=secrets.link))
    assert (found.id, found.user_id, found.guest_id) == (invite.id, ALICE, BOB)
    assert await claimed(store, BOB, now, code=secrets.code)  # the same person may come back with either


async def test_shared_code_belongs_to_one(store: Store, now: datetime) -> None:
    for round_ in range(5):
        invite = await invited(store, ALICE, now + timedelta(seconds=round_))
        async with store.reading() as rows:
            secrets = await rows.invites.secrets(invite)
        assert secrets
        won = await asyncio.gather(
            claimed(store, BOB, now, code=secrets.code),
            claimed(store, CHARLIE, now, link=secrets.link),
            claimed(store, DORA, now, code=secrets.code),
        )
        assert sum(one is not None for one in won) == 1


@pytest.mark.parametrize("how", ["own", "expired", "replaced", "taken back", "used", "unknown"])
async def test_dead_invitation_gives_nothing(store: Store, now: datetime, how: str) -> None:
    invite = await invited(store, ALICE, now)
    async with store.reading() as rows:
        secrets = await rows.invites.secrets(invite)
    assert secrets
    who, when, code = BOB, now, secrets.code
    if how == "own":
        who = ALICE
    elif how == "expired":
        when = now + DAY
    elif how == "replaced":
        await invited(store, ALICE, now + timedelta(seconds=1))
    elif how == "taken back":
        async with store.writing(ALICE) as rows:
            dropped = await rows.invites.drop(ALICE)
            assert dropped
            assert dropped.id == invite.id
    elif how == "used":
        assert await claimed(store, CHARLIE, now, code=code)
    else:
        code = "00000000" if code != "00000000" else "00000001"
    assert await claimed(store, who, when, code=code) is None


async def test_invite_lasts_until_a_yes(store: Store, now: datetime) -> None:
    invite = await invited(store, ALICE, now)
    async with store.reading() as rows:
        secrets = await rows.invites.secrets(invite)
    assert secrets
    await claimed(store, BOB, now, code=secrets.code)
    async with store.writing(BOB) as rows:
        assert not await rows.invites.use(invite)
        assert not await rows.invites.accept(invite, CHARLIE, now)
        assert await rows.invites.accept(invite, BOB, now)
        assert not await rows.invites.accept(invite, BOB, now)
    async with store.writing(ALICE) as rows:
        assert await rows.invites.use(invite)
        assert not await rows.invites.use(invite)


async def test_open_invite_survives_a_rotation(database_url: str, clock: HandClock) -> None:
    ring = KeyRing.new()
    secrets = []
    for keys in (ring, ring.rotated()):
        store = Store.at(database_url, keys)
        async with store.writing(ALICE) as rows:
            if await rows.users.find(ALICE) is None:
                for user_id in (ALICE, BOB):
                    await rows.users.add(user_id, "en", clock.now())
                await rows.invites.make(ALICE, clock.now() + DAY)
            secrets.append(await _secrets(rows, clock.now()))
        await store.close()
    assert secrets[0] == secrets[1]


async def _secrets(rows: Rows, now: datetime) -> object:
    invite = await rows.invites.of(ALICE, now)
    assert invite
    found = await rows.invites.secrets(invite)
    assert found
    assert await rows.invites.claim(BOB, code=found.code, now=now)
    return found


async def test_wrong_tries_count_individually_and_together(store: Store, now: datetime) -> None:
    async with store.writing() as rows:
        for minute in range(5):
            await rows.invites.wrong(BOB, now + timedelta(minutes=minute))
        await rows.invites.wrong(CHARLIE, now)
        since = now + timedelta(minutes=1)
        assert await rows.invites.wrong_since(BOB, since) == [now + timedelta(minutes=m) for m in (2, 3, 4)]
        assert await rows.invites.all_wrong_since(now - DAY, 100) == 6
        assert await rows.invites.all_wrong_since(now - DAY, 4) == 4
        await rows.invites.forget_before(now, now + timedelta(minutes=4))
        assert await rows.invites.all_wrong_since(now - DAY, 100) == 1
