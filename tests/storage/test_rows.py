"""Rows of users, dialogs, asks, lines and drafts, on both databases."""

import asyncio
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from bot.clock import HandClock
from bot.crypto import CannotOpen, KeyRing
from bot.domain.model import Ask, AskState, Dialog, Draft, DraftReason, Line, User, Waiting
from bot.storage.ids import new_id, timeless_id
from bot.storage.store import Store
from tests.storage.people import ALICE, BOB, asked, kept, ready

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def alice(store: Store, clock: HandClock) -> User:
    async with store.writing() as rows:
        return await ready(rows, ALICE, clock.now())


@pytest.fixture
async def bob(store: Store, clock: HandClock) -> User:
    async with store.writing() as rows:
        return await ready(rows, BOB, clock.now())


# --- users and their transactions


async def test_user_comes_back_with_every_fact(store: Store, clock: HandClock) -> None:
    now = clock.now()
    facts = {
        "ask_at": time(20, 30), "zone": "Asia/Kathmandu", "language": "de", "depth": 3, "ceiling": 5,
        "paused_at": now, "blocked_at": now, "next_ask_at": now + MINUTE, "next_ask_day": date(2026, 12, 31),
        "last_day": date(2026, 1, 1),
    }  # fmt: skip
    async with store.writing() as rows:
        user = await rows.users.add(ALICE, "en", now)
        changed = await rows.users.change(user, **facts)
    async with store.reading() as rows:
        assert await rows.users.find(ALICE) == changed
    assert {name: getattr(changed, name) for name in facts} == facts


async def test_failed_transaction_leaves_nothing(store: Store, clock: HandClock, alice: User) -> None:
    async def fails() -> None:
        async with store.writing(ALICE) as rows:
            await rows.users.change(alice, zone="UTC")
            await kept(rows, alice, "never", clock.now())
            raise LookupError

    with pytest.raises(LookupError):
        await fails()
    async with store.writing(ALICE) as rows:
        found = await rows.users.find(ALICE)
        assert found is not None
        assert found.zone == "Europe/London"
        assert await rows.lines.from_message(ALICE, 7) is None


async def test_cancelled_transaction_is_rolled_back(store: Store, clock: HandClock, alice: User) -> None:
    inside = asyncio.Event()

    async def interrupted() -> None:
        async with store.writing(ALICE) as rows:
            await kept(rows, alice, "half", clock.now())
            inside.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(interrupted())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with store.writing(ALICE) as rows:
        assert await rows.lines.from_message(ALICE, 7) is None


async def test_one_users_transactions_take_turns(store: Store, alice: User) -> None:
    """Each adds one to what it read: if two ran at once, an addition would be lost."""

    async def deeper() -> None:
        async with store.writing(ALICE) as rows:
            user = await rows.users.find(ALICE)
            assert user
            await asyncio.sleep(0.005)
            assert user.consented_at
            await rows.users.change(user, paused_at=(user.paused_at or user.consented_at) + MINUTE)

    await asyncio.gather(*(deeper() for _ in range(6)))
    async with store.reading() as rows:
        user = await rows.users.find(ALICE)
    assert user
    assert alice.consented_at
    assert user.paused_at == alice.consented_at + 6 * MINUTE


async def test_two_users_transactions_never_conflict(store: Store, clock: HandClock, alice: User, bob: User) -> None:
    async def keep(user: User, message_id: int) -> None:
        async with store.writing(user.id) as rows:
            await kept(rows, user, f"line {message_id}", clock.now(), message_id=message_id)

    await asyncio.gather(*(keep(user, n) for n in range(10) for user in (alice, bob)))
    async with store.reading() as rows:
        assert (await rows.sums())["lines kept"] == 20


async def test_longest_overdue_user_comes_first(store: Store, clock: HandClock) -> None:
    async with store.writing() as rows:
        for number, minutes in enumerate((-1, -5, 1, -3)):
            await ready(rows, 1 + number, clock.now(), due_in=minutes * MINUTE)
    async with store.writing() as rows:
        assert [user.id for user in await rows.users.due(clock.now(), 10)] == [2, 4, 1]
        assert [user.id for user in await rows.users.due(clock.now(), 2)] == [2, 4]


async def test_earliest_due_is_next(store: Store, alice: User) -> None:
    async with store.reading() as rows:
        assert await rows.earliest_due() == alice.next_ask_at


async def test_sealed_name_can_be_removed(store: Store, alice: User) -> None:
    for name in ("Al", None):
        async with store.writing() as rows:
            await rows.users.set_name(alice.id, name)
        async with store.reading() as rows:
            assert await rows.users.name(alice.id) == name


@pytest.mark.usefixtures("alice")
async def test_another_key_ring_opens_nothing(database_url: str) -> None:
    stranger = Store.at(database_url, KeyRing.new())
    try:
        async with stranger.reading() as rows:
            with pytest.raises(CannotOpen):
                await rows.users.name(ALICE)
    finally:
        await stranger.close()


# --- dialogs


@pytest.mark.usefixtures("alice")
async def test_only_the_latest_is_awaited(store: Store, clock: HandClock) -> None:
    dialog = Dialog(Waiting.CHANGE, 5, clock.now() + MINUTE)
    async with store.writing() as rows:
        await rows.dialogs.await_(ALICE, Dialog(Waiting.SHORTER, 4, clock.now() + MINUTE))
        await rows.dialogs.await_(ALICE, dialog)
    async with store.writing() as rows:
        assert await rows.dialogs.find(ALICE, clock.now()) == dialog


@pytest.mark.usefixtures("alice")
async def test_what_is_awaited_expires(store: Store, clock: HandClock) -> None:
    async with store.writing() as rows:
        await rows.dialogs.await_(ALICE, Dialog(Waiting.CHANGE, 5, clock.now() + MINUTE))
        assert await rows.dialogs.find(ALICE, clock.now() + MINUTE) is None
        await rows.dialogs.await_(ALICE, Dialog(Waiting.CHANGE, 5, clock.now() + MINUTE))
        assert await rows.dialogs.forget(ALICE)
        assert not await rows.dialogs.forget(ALICE)


# --- asks


async def test_date_has_one_ask(store: Store, clock: HandClock, alice: User) -> None:
    async with store.writing() as rows:
        first = await asked(rows, alice, clock.now())
        second = Ask(new_id(clock.now()), ALICE, first.day, AskState.DUE, clock.now())
        other_day = Ask(new_id(clock.now()), ALICE, first.day + timedelta(days=1), AskState.DUE, clock.now())
        assert await rows.asks.add([second, other_day]) == {other_day.id}
        assert await rows.asks.on(ALICE, first.day) == first
        assert await rows.asks.latest(ALICE) == other_day


UNDECIDED = (AskState.DUE, AskState.OPEN, AskState.SNOOZED)
REOPENED = (*UNDECIDED, AskState.SKIPPED, AskState.LEFT, AskState.MISSED)


async def test_taken_id_loses_nobody_a_date(store: Store, clock: HandClock, alice: User, bob: User) -> None:
    """A random id can equal another one. Then planning fails as a whole and is repeated."""
    day = clock.now().date()
    async with store.writing() as rows:
        await rows.asks.add([Ask(7, alice.id, day, AskState.DUE, clock.now())])
    with pytest.raises(IntegrityError):
        async with store.writing() as rows:
            await rows.asks.add([Ask(7, bob.id, day, AskState.DUE, clock.now())])


@pytest.mark.parametrize("before", list(AskState))
async def test_ask_moves_depend_on_its_state(store: Store, clock: HandClock, alice: User, before: AskState) -> None:
    async with store.writing() as rows:
        ask = await asked(rows, alice, clock.now(), state=before)
        assert await rows.asks.decide(ask, AskState.LEFT) is (before in UNDECIDED)
        found = await rows.asks.find(ALICE, ask.id)
        assert found
        assert found.state is (AskState.LEFT if before in UNDECIDED else before)
    async with store.writing() as rows:
        reopened = await rows.asks.reopen(ask, AskState.OPEN)
        assert reopened is (before in REOPENED), "an answered one stays answered"
        await rows.asks.unanswer(ask.id)
        found = await rows.asks.find(ALICE, ask.id)
        assert found
        assert found.state is (AskState.OPEN if reopened else AskState.SKIPPED)


@pytest.mark.usefixtures("bob")
async def test_ask_is_its_users_alone(store: Store, clock: HandClock, alice: User) -> None:
    async with store.writing() as rows:
        ask = await asked(rows, alice, clock.now())
        await rows.asks.showing(ALICE, 55, ask.id, "work.a")
        assert await rows.asks.find(BOB, ask.id) is None
        assert await rows.asks.shown_by(BOB, 55) is None
        assert await rows.asks.shown_by(ALICE, 55) == replace(ask, prompt_id="work.a")
        await rows.asks.showing(ALICE, 55, ask.id, "work.a")  # a repeated answer may say so twice


async def test_earlier_undecided_asks_are_closed(store: Store, clock: HandClock, alice: User, bob: User) -> None:
    async with store.writing() as rows:
        old = await asked(rows, alice, clock.now() - timedelta(days=2))
        answered = await asked(rows, alice, clock.now() - timedelta(days=1), state=AskState.ANSWERED)
        others = await asked(rows, bob, clock.now() - timedelta(days=1))
        new = await asked(rows, alice, clock.now())
        await rows.asks.leave_others(new)
        states = [
            (await rows.asks.find(ask.user_id, ask.id)).state  # type: ignore[union-attr]
            for ask in (old, answered, others, new)
        ]
    assert states == [AskState.LEFT, AskState.ANSWERED, AskState.OPEN, AskState.OPEN]


async def test_prompts_remember_their_last_use(store: Store, clock: HandClock, alice: User) -> None:
    later = clock.now() + MINUTE
    async with store.writing() as rows:
        ask = await asked(rows, alice, clock.now())
        await rows.asks.set_prompt(ask, "work.a", clock.now())
        await rows.asks.set_prompt(ask, "work.b", clock.now())
        await rows.asks.set_prompt(ask, "work.a", later)
        assert await rows.asks.shown(ALICE) == {"work.b": clock.now(), "work.a": later}
        found = await rows.asks.find(ALICE, ask.id)
    assert found
    assert (found.prompt_id, found.shown_at) == ("work.a", later)


# --- lines and drafts


async def test_line_is_found_by_each_key(store: Store, clock: HandClock, alice: User) -> None:
    async with store.writing() as rows:
        ask = await asked(rows, alice, clock.now())
        line = await kept(rows, alice, "wörds 🌿", clock.now(), message_id=9, ask=ask)
        assert await rows.lines.find(ALICE, line.id) == line
        assert await rows.lines.from_message(ALICE, 9) == line
        assert await rows.lines.of_ask(ALICE, ask.id) == line
        assert await rows.lines.words(line) == "wörds 🌿"
        assert await rows.lines.find(BOB, line.id) is None
        await rows.lines.change(line, "other words", clock.now(), message_id=10)
        assert await rows.lines.from_message(ALICE, 9) is None
        changed = await rows.lines.from_message(ALICE, 10)
        assert changed
        assert changed.id == line.id
        assert await rows.lines.words(changed) == "other words"
        await rows.lines.delete(line)
        assert await rows.lines.find(ALICE, line.id) is None


async def test_message_becomes_one_line(store: Store, clock: HandClock, alice: User, bob: User) -> None:
    async with store.writing() as rows:
        await kept(rows, alice, "once", clock.now())
        await kept(rows, bob, "message ids are a chat's own", clock.now())
    with pytest.raises(IntegrityError):
        async with store.writing() as rows:
            await kept(rows, alice, "twice", clock.now())


async def test_line_outlives_its_ask(store: Store, clock: HandClock, alice: User) -> None:
    """Asks are deleted at some time; the Line stays, with the prompt it answered."""
    async with store.writing() as rows:
        ask = await asked(rows, alice, clock.now(), prompt_id="work.a")
        line = await kept(rows, alice, "words", clock.now(), ask=ask)
        from sqlalchemy import delete

        from bot.storage.schema import asks

        await rows._connection.execute(delete(asks).where(asks.c.id == ask.id))
        found = await rows.lines.find(ALICE, line.id)
    assert found == Line(line.id, ALICE, line.day, None, line.message_id, "work.a")


async def test_text_set_aside_comes_back_whole(store: Store, clock: HandClock, alice: User) -> None:
    text = "long " * 200
    async with store.writing() as rows:
        ask = await asked(rows, alice, clock.now())
        draft = Draft(0, ALICE, DraftReason.TOO_LONG, text, 12, ask.id)
        first = await rows.drafts.set_aside(draft, clock.now())
        again = await rows.drafts.set_aside(draft, clock.now() + MINUTE)
        assert await rows.drafts.find(ALICE, first.id) is None, "the same message has one draft"
        assert await rows.drafts.find(ALICE, again.id) == again
        assert again.text == text
        assert await rows.drafts.find(BOB, again.id) is None
        assert await rows.drafts.drop_before(clock.now() + MINUTE) == 0
        assert await rows.drafts.drop_before(clock.now() + 2 * MINUTE) == 1


async def test_latest_note_is_kept(store: Store) -> None:
    async with store.writing() as rows:
        assert await rows.note("registered") is None
        await rows.take_note("registered", "a")
        await rows.take_note("registered", "b")
        assert await rows.note("registered") == "b"


def test_ids_sort_by_time_and_fit() -> None:
    start = datetime.fromisoformat("2026-11-22T12:00:00+00:00")
    ids = [new_id(start + n * timedelta(milliseconds=1)) for n in range(50)]
    assert ids == sorted(ids)
    assert len({new_id(start) for _ in range(100)}) > 95, "chance tells apart those of one millisecond"
    assert new_id(datetime.fromisoformat("2164-01-01T00:00:00+00:00")) < 1 << 63
    assert new_id(datetime.fromisoformat("2020-01-01T00:00:00+00:00")) >= 0, "a machine without a clock starts at 1970"


def test_ids_of_one_moment_are_unique(clock: HandClock) -> None:
    now = clock.now()
    assert len({new_id(now) for _ in range(10_000)}) == 10_000


def test_timeless_id_tells_nothing_and_fits() -> None:
    ids = [timeless_id() for _ in range(100)]
    assert len(set(ids)) == 100
    assert all(0 < one < 1 << 63 for one in ids)
    assert ids != sorted(ids), "they don't sort by time"


@pytest.mark.usefixtures("alice")
async def test_lines_come_newest_first(store: Store, clock: HandClock) -> None:
    """Earlier ids tell when they were made, present ones don't; within a quarter of an hour the later kept is newer."""
    start = clock.now()
    moments = [start + timedelta(milliseconds=n // 2) for n in range(8)]
    kept = [new_id(moment) if n < 4 else timeless_id() for n, moment in enumerate(moments)]
    async with store.writing() as rows:
        for n in range(8):
            line = Line(kept[n], ALICE, start.date(), None, n + 1)
            await rows.lines.keep(line, f"line {n}", prompt_id=None, now=moments[n])
        newest = kept[::-1]
        assert [line.id for line in await rows.lines.page(ALICE, None, 10)] == newest
        for at in range(7):
            assert [line.id for line in await rows.lines.page(ALICE, newest[at], 2)] == newest[at + 1 : at + 3]
        assert await rows.lines.page(ALICE, kept[0], 5) == []
        assert len(await rows.lines.page(ALICE, 4242, 5)) == 5, "a line that is gone is no place to go on from"
