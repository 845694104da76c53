"""Reflections and Responses on both databases: each move happens once, words are for two, and end in time."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from bot.domain.content import Wish
from bot.domain.model import Line
from bot.domain.sharing import MOVES, Move, Reflection, Response, ResponseKind, State
from bot.storage.ids import new_id
from bot.storage.schema import reflections
from bot.storage.store import Store

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
ALICE, BOB, CHARLIE = 1, 2, 3
PAIR = 77
WORDS = "The dog waited at the door."


async def _people(store: Store) -> None:
    async with store.writing() as rows:
        for user_id in (ALICE, BOB, CHARLIE):
            await rows.users.add(user_id, "en", NOW)


async def _drafted(store: Store, words: str = WORDS, *, line: bool = False) -> Reflection:
    async with store.writing() as rows:
        line_id = None
        if line:
            line_id = new_id(NOW)
            await rows.lines.keep(
                Line(line_id, ALICE, date(2027, 3, 1), None, line_id % 1000), words, prompt_id=None, now=NOW
            )
        reflection = Reflection(new_id(NOW), ALICE, BOB, PAIR, line_id=line_id, depth=2)
        await rows.reflections.draft(reflection, words, NOW)
        assert await rows.reflections.wish(reflection, Wish.LISTEN, "listen.nod")
    return reflection


async def _at(store: Store, state: State, *, line: bool = False) -> Reflection:
    """A Reflection that was brought to `state`."""
    reflection = await _drafted(store, line=line)
    ways: dict[State, tuple[Move, ...]] = {
        State.DRAFTED: (),
        State.SCHEDULED: (Move.SCHEDULE,),
        State.ANNOUNCED: (Move.SCHEDULE, Move.ANNOUNCE),
        State.OPENED: (Move.SCHEDULE, Move.ANNOUNCE, Move.OPEN),
        State.ANSWERED: (Move.SCHEDULE, Move.ANNOUNCE, Move.OPEN, Move.ANSWER),
        State.WITHDRAWN: (Move.SCHEDULE, Move.WITHDRAW),
        State.LAPSED: (Move.LAPSE,),
        State.CANCELLED: (Move.CANCEL,),
    }
    facts: dict[Move, dict[str, Any]] = {
        Move.SCHEDULE: {"shared_at": NOW, "due_at": NOW},
        Move.OPEN: {"opened_at": NOW, "cue_id": "one"},
    }
    async with store.writing() as rows:
        for move in ways[state]:
            assert await rows.reflections.move(reflection, move, **facts.get(move, {}))
    return reflection


@pytest.mark.parametrize("state", State)
async def test_moves_need_the_right_state(store: Store, state: State) -> None:
    await _people(store)
    for move, (starts, end) in MOVES.items():
        reflection = await _at(store, state)
        async with store.writing() as rows:
            moved = await rows.reflections.move(reflection, move)
            now_there = await rows.reflections.mine(ALICE, reflection.id)
        assert (moved is not None) == (state in starts)
        assert now_there
        assert now_there.state is (end if state in starts else state)


@pytest.mark.parametrize("state", State)
async def test_receiver_reads_only_opened_words(store: Store, state: State) -> None:
    await _people(store)
    reflection = await _at(store, state)
    async with store.reading() as rows:
        readable = state in {State.OPENED, State.ANSWERED}
        assert await rows.reflections.words_for(BOB, reflection.id) == (WORDS if readable else None)
        assert await rows.reflections.words_for(CHARLIE, reflection.id) is None
        assert await rows.reflections.words_for(ALICE, reflection.id) is None
        assert await rows.reflections.words(reflection) == (None if state in {State.WITHDRAWN, State.LAPSED} else WORDS)
        assert await rows.reflections.words_of(BOB, [reflection.id]) == {}


async def test_reworded_ones_are_found(store: Store) -> None:
    await _people(store)
    exact, reworded = [await _drafted(store, line=True) for _ in range(2)]
    without_line, lapsed = await _drafted(store), await _at(store, State.LAPSED, line=True)
    ids = [each.id for each in (exact, reworded, without_line, lapsed)]
    async with store.writing() as rows:
        assert await rows.reflections.set_words(reworded, "I was glad to be home.")
        assert await rows.reflections.reworded(ALICE, ids) == {reworded.id}
        assert await rows.reflections.reworded(ALICE, [exact.id]) == set()
        assert await rows.reflections.reworded(BOB, ids) == set()


async def test_opening_races_with_taking_back(store: Store) -> None:
    await _people(store)
    for _ in range(10):
        reflection = await _at(store, State.ANNOUNCED)

        async def moves(user_id: int, move: Move, reflection: Reflection = reflection) -> bool:
            async with store.writing(user_id) as rows:
                return await rows.reflections.move(reflection, move) is not None

        happened = await asyncio.gather(
            *(moves(BOB, Move.OPEN) for _ in range(3)), *(moves(ALICE, Move.WITHDRAW) for _ in range(3))
        )
        assert sum(happened) == 1


async def test_opening_prevents_new_words(store: Store) -> None:
    await _people(store)
    open_, opened = await _at(store, State.ANNOUNCED), await _at(store, State.OPENED)
    async with store.writing() as rows:
        for reflection in (open_, opened):
            await rows.reflections.propose(reflection, "Other words.", 7)
        assert await rows.reflections.proposed(open_) == "Other words."
        assert await rows.reflections.use_proposed(open_, NOW)
        assert not await rows.reflections.use_proposed(opened, NOW)
        assert await rows.reflections.words(open_) == "Other words."
        assert await rows.reflections.words(opened) == WORDS
        assert not await rows.reflections.reword(opened, "Other words.")
        assert not await rows.reflections.wish(opened, Wish.ADVICE, "advice.nod")


async def test_deleted_line_takes_its_copies(store: Store) -> None:
    await _people(store)
    coming, opened = await _at(store, State.SCHEDULED, line=True), await _at(store, State.OPENED, line=True)
    async with store.writing() as rows:
        for reflection in (coming, opened):
            await rows.reflections.propose(reflection, "Other words.", 7)
        assert coming.line_id
        assert opened.line_id
        assert await rows.reflections.line_deleted(coming.line_id) == [coming.id]
        assert await rows.reflections.line_deleted(opened.line_id) == []
        for reflection in (coming, opened):
            assert await rows.reflections.words(reflection) is None
            assert await rows.reflections.proposed(reflection) is None
        taken = await rows.reflections.mine(ALICE, coming.id)
        assert taken
        assert taken.state is State.WITHDRAWN


async def test_end_cancels_unopened_lines(store: Store) -> None:
    await _people(store)
    made = {state: await _at(store, state) for state in State}
    async with store.writing() as rows:
        cancelled = await rows.reflections.cancel_pair(PAIR)
        assert set(cancelled) == {made[state].id for state in (State.DRAFTED, State.SCHEDULED, State.ANNOUNCED)}
        assert await rows.reflections.cancel_pair(PAIR) == []
        assert await rows.reflections.words(made[State.SCHEDULED]) == WORDS, "for the sharer's export"
        assert await rows.reflections.words_for(BOB, made[State.SCHEDULED].id) is None
        assert await rows.reflections.words(made[State.OPENED]) == WORDS
        assert await rows.reflections.waiting_for(BOB, PAIR, NOW, 10) == []


@pytest.mark.usefixtures("patient_locks")
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("which", ["end", "announce"])
async def test_changing_several_locks_them_in_order(store: Store, which: str) -> None:
    """While waiting for the first one, nobody holds the others; otherwise two with some each would wait in a circle."""
    await _people(store)
    first, *others = sorted([await _at(store, State.SCHEDULED) for _ in range(4)], key=lambda one: one.id)
    async with store.writing() as rows:
        await rows.reflections.reword(first, "Now it lies behind the others on the disk.")

    async def change() -> None:
        async with store.writing() as rows:
            if which == "end":
                await rows.reflections.cancel_pair(PAIR)
            else:
                await rows.reflections.announce([one.id for one in (first, *others)], NOW)

    async with store.writing() as rows:
        await rows.reflections.wish(first, Wish.ADVICE)
        changing = asyncio.create_task(change())
        await _waits_for_a_lock(store)
        free = select(reflections.c.id).order_by(reflections.c.id).with_for_update(skip_locked=True)
        async with store.writing() as third:
            assert list((await third._connection.execute(free)).scalars()) == [one.id for one in others]
    await changing


async def _waits_for_a_lock(store: Store) -> None:
    async with asyncio.timeout(10):
        while True:
            async with store.reading() as rows:
                waiting = text(
                    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
                )
                if (await rows._connection.execute(waiting)).first():
                    return


async def test_drafts_expire_and_ends_go(store: Store) -> None:
    await _people(store)
    drafted, withdrawn, opened = [await _at(store, state) for state in (State.DRAFTED, State.WITHDRAWN, State.OPENED)]
    soon, late = NOW + timedelta(days=8), NOW + timedelta(days=100)
    async with store.writing() as rows:
        assert await rows.reflections.tidy(NOW, NOW) == 0
        assert await rows.reflections.tidy(soon, NOW) == 1
        lapsed = await rows.reflections.mine(ALICE, drafted.id)
        assert lapsed
        assert lapsed.state is State.LAPSED
        await rows.reflections.tidy(soon, late)
        assert await rows.reflections.mine(ALICE, drafted.id) is None
        assert await rows.reflections.mine(ALICE, withdrawn.id) is None
        assert await rows.reflections.mine(ALICE, opened.id)


async def test_both_read_a_sent_line_back(store: Store) -> None:
    await _people(store)
    reflection = await _at(store, State.ANSWERED)
    first, second = (Response(new_id(NOW), reflection.id, BOB, ResponseKind.LINE) for _ in range(2))
    async with store.writing() as rows:
        await rows.responses.add(first, "Me too, once.")
        await rows.responses.add(second, "I see you.")  # written anew
        assert await rows.responses.mine(BOB, first.id) is None
        assert await rows.responses.theirs(ALICE, second.id) is None
        assert await rows.responses.send(second, NOW)
        assert not await rows.responses.send(second, NOW)
        got = await rows.responses.theirs(ALICE, second.id)
        assert got
        assert await rows.responses.words(got) == "I see you."
        assert await rows.responses.theirs(CHARLIE, second.id) is None
        assert await rows.responses.mine(ALICE, second.id) is None
        assert await rows.responses.landed(got, well=False)
        assert not await rows.responses.landed(got, well=True)
