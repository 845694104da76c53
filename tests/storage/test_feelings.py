"""Words for a Line: sealed so that their length tells nothing, and gone with the Line."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from bot.clock import HandClock
from bot.domain.feelings import LONGEST_OWN, MOST, Feeling
from bot.storage.schema import lines
from bot.storage.store import Store
from tests.storage.people import ALICE, BOB, kept, ready

HEAVY, SAD = Feeling(shelf="heavy"), Feeling(shelf="sad")


async def test_words_outlive_a_change(store: Store, clock: HandClock) -> None:
    async with store.writing() as rows:
        user = await ready(rows, ALICE, clock.now())
        line = await kept(rows, user, "The dog waited.", clock.now())
        assert await rows.lines.feelings(ALICE, line.id) == ()
        await rows.lines.set_feelings(line, [SAD, HEAVY])
        await rows.lines.change(line, "The dog slept.", clock.now())
    async with store.reading() as rows:
        assert await rows.lines.feelings(ALICE, line.id) == (SAD, HEAVY)
        assert await rows.lines.feelings(BOB, line.id) == (), "they are nobody else's"


async def test_no_words_are_no_value(store: Store, clock: HandClock) -> None:
    async with store.writing() as rows:
        line = await kept(rows, await ready(rows, ALICE, clock.now()), "x", clock.now())
        await rows.lines.set_feelings(line, [SAD])
        await rows.lines.set_feelings(line, [])
        assert (await rows._connection.execute(select(lines.c.feelings))).scalar_one() is None


@pytest.mark.parametrize(
    "feelings",
    [
        [Feeling(shelf="numb")],
        [Feeling(shelf="running-on-empty"), SAD],
        [Feeling(own="🙂" * LONGEST_OWN)] * MOST,
        [Feeling(own='"' * LONGEST_OWN)] * MOST,
        [Feeling(own="\ud83d")],
    ],
    ids=["one", "two", "the longest", "marks", "half a character"],
)
async def test_length_tells_nothing(store: Store, clock: HandClock, feelings: list[Feeling]) -> None:
    async with store.writing() as rows:
        user = await ready(rows, ALICE, clock.now())
        for message_id, these in enumerate((feelings, [HEAVY]), 1):
            line = await kept(rows, user, "x", clock.now(), message_id=message_id)
            await rows.lines.set_feelings(line, these)
        sealed = (await rows._connection.execute(select(lines.c.feelings))).scalars().all()
    assert len(set(sealed)) == 2
    assert len({len(each) for each in sealed}) == 1


async def test_weekly_words_come_newest_first(store: Store, clock: HandClock) -> None:
    async with store.writing() as rows:
        user = await ready(rows, ALICE, clock.now())
        for weeks, feeling in ((9, Feeling(own="old")), (7, SAD), (1, HEAVY)):
            at = clock.now() - timedelta(weeks=weeks)
            await rows.lines.set_feelings(await kept(rows, user, "x", at, message_id=weeks), [feeling])
        await kept(rows, user, "without a word", clock.now(), message_id=99)
        found = await rows.lines.feelings_since(ALICE, clock.now() - timedelta(weeks=8))
    days = [(clock.now() - timedelta(weeks=weeks)).date() for weeks in (1, 7)]
    assert found == [(days[0], (HEAVY,)), (days[1], (SAD,))]


async def test_verify_finds_moved_words(store: Store, clock: HandClock) -> None:
    async with store.writing() as rows:
        user = await ready(rows, ALICE, clock.now())
        one, other = [await kept(rows, user, "x", clock.now(), message_id=number) for number in (1, 2)]
        await rows.lines.set_feelings(one, [SAD])
        assert (await rows.seals.open_all()).damaged == 0
        moved = select(lines.c.feelings).where(lines.c.id == one.id).scalar_subquery()
        await rows._connection.execute(update(lines).where(lines.c.id == other.id).values(feelings=moved))
        assert await rows.lines.feelings(ALICE, other.id) == ()
        assert (await rows.seals.open_all()).places == [f"lines.feelings of row {other.id}"]


async def test_words_go_with_their_line(store: Store, clock: HandClock) -> None:
    async with store.writing() as rows:
        line = await kept(rows, await ready(rows, ALICE, clock.now()), "x", clock.now())
        await rows.lines.set_feelings(line, [SAD])
        await rows.lines.delete(line)
        assert await rows.lines.feelings(ALICE, line.id) == ()
        assert await rows.lines.feelings_since(ALICE, clock.now() - timedelta(weeks=8)) == []
