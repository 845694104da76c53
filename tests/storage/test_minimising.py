"""What can be read without the key: neither which question, nor how long a line is, nor the minute it was kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, insert, select, text, update

from bot import crypto
from bot.crypto import CannotOpen, KeyRing, hide, is_hidden, new_data_key, reveal
from bot.domain.model import Draft, DraftReason
from bot.storage import minimising, prompt_ids
from bot.storage.minimising import Minimising, Position
from bot.storage.prompt_ids import UNKNOWN
from bot.storage.schema import ask_messages, asks, drafts, lines, shown_prompts, users
from bot.storage.store import MINIMISED, Rows, Store
from tests.storage.people import ALICE, BOB, asked, kept, ready

PROMPT = "worry.slow-start"
NOW = datetime.fromisoformat("2026-11-22T12:34:56.789+00:00")
MS = 1_795_350_896_789
WORDS = "The dog waited."
WITH_PROMPTS = (asks, lines, ask_messages, shown_prompts)


async def live(rows: Rows, user_id: int) -> int:
    user = await ready(rows, user_id, NOW)
    await rows.users.set_name(user_id, "Al")
    ask = await asked(rows, user, NOW)
    await rows.asks.set_prompt(ask, PROMPT, NOW)
    await rows.asks.showing(user_id, 55, ask.id, PROMPT)
    line = await kept(rows, user, WORDS, NOW, ask=replace(ask, prompt_id=PROMPT))
    await rows.drafts.set_aside(Draft(0, user_id, DraftReason.SECOND, WORDS, 8, ask.id, line.id), NOW)
    return line.id


async def all_read(rows: Rows, user_id: int, line_id: int) -> None:
    """Check that its owner still has everything."""
    line, shown, draft = (
        await rows.lines.find(user_id, line_id),
        await rows.asks.shown_by(user_id, 55),
        await rows.drafts.from_message(user_id, 8),
    )
    assert line
    assert shown
    assert draft
    assert (line.prompt_id, shown.prompt_id, draft.text) == (PROMPT, PROMPT, WORDS)
    assert await rows.lines.words(line) == WORDS
    assert await rows.lines.prompts(user_id) == [(line_id, PROMPT)]
    assert await rows.asks.shown(user_id) == {PROMPT: NOW}
    assert await rows.users.name(user_id) == "Al"


async def stored(rows: Rows, column: Any) -> set[Any]:
    return set((await rows._connection.execute(select(column).where(column.is_not(None)))).scalars())


async def little_is_readable(rows: Rows) -> None:
    for table in WITH_PROMPTS:
        found = await stored(rows, table.c.prompt_id)
        assert found
        assert all(map(is_hidden, found)), table.name
    for column, size in ((lines.c.words, 512), (drafts.c.words, 512), (users.c.name, 256)):
        assert {len(each) for each in await stored(rows, column)} == {1 + 12 + size + 16}, column
    minutes = await rows._connection.execute(text("SELECT kept_at / 60000 % 60, kept_at % 60000 FROM lines"))
    assert set(map(tuple, minutes)) == {(30, 0)}
    assert set((await rows._connection.execute(text("SELECT changed_at % 900000 FROM lines"))).scalars()) <= {0, None}
    assert set((await rows._connection.execute(text("SELECT created_at % 86400000 FROM users"))).scalars()) == {0}


async def test_little_is_readable_without_the_key(store: Store) -> None:
    async with store.writing() as rows:
        line_ids = {user_id: await live(rows, user_id) for user_id in (ALICE, BOB)}
    async with store.reading() as rows:
        await little_is_readable(rows)
        for user_id, line_id in line_ids.items():
            await all_read(rows, user_id, line_id)
        assert len(await stored(rows, lines.c.prompt_id)) == 2, "equal questions of two people look different"


@contextmanager
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Store as an earlier version did: prompts plain, and texts padded to 64 bytes and more."""
    with monkeypatch.context() as earlier:
        earlier.setattr(crypto, "_ROOM", {})
        earlier.setattr(prompt_ids, "hide", lambda _key, name, **_: name)
        yield


async def lives_as_before(store: Store, monkeypatch: pytest.MonkeyPatch) -> dict[int, int]:
    with as_before(monkeypatch):
        async with store.writing() as rows:
            line_ids = {user_id: await live(rows, user_id) for user_id in (ALICE, BOB)}
            await rows._connection.execute(text("UPDATE lines SET kept_at = :ms, changed_at = :ms"), {"ms": MS})
            await rows._connection.execute(text("UPDATE users SET created_at = :ms"), {"ms": MS})
            assert await stored(rows, asks.c.prompt_id) == {PROMPT}
    return line_ids


async def test_older_rows_become_as_little_readable(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    line_ids = await lives_as_before(store, monkeypatch)
    async with store.reading() as rows:
        await all_read(rows, BOB, line_ids[BOB])
    assert await store.minimise_all() == 2
    async with store.reading() as rows:
        await little_is_readable(rows)
        for user_id, line_id in line_ids.items():
            await all_read(rows, user_id, line_id)
        assert (await rows.seals.open_all()).damaged == 0
    assert await store.minimise_all() == 0, "once is enough"


async def test_unexpected_error_concerns_only_one_user(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    line_ids = await lives_as_before(store, monkeypatch)
    minimise, done = Minimising.minimise, []

    async def fails(self: Minimising, user_id: int, place: Position | None = None) -> Position | None:
        if user_id == ALICE:
            raise LookupError
        done.append(user_id)
        return await minimise(self, user_id, place or Position())

    with monkeypatch.context() as failing:
        failing.setattr(Minimising, "minimise", fails)
        for _ in range(2):
            with pytest.raises(LookupError):
                await store.minimise_all()
    assert set(done) == {BOB}
    async with store.reading() as rows:
        assert await rows.note(MINIMISED) is None
    assert await store.minimise_all() == 2
    async with store.reading() as rows:
        await little_is_readable(rows)
        for user_id, line_id in line_ids.items():
            await all_read(rows, user_id, line_id)


async def test_interrupted_work_goes_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also with a question that was put again meanwhile, and with somebody whose key doesn't open."""
    line_ids = await lives_as_before(store, monkeypatch)
    async with store.writing(ALICE) as rows:
        assert await rows.minimising.minimise(ALICE) is None
    async with store.writing(BOB) as rows:
        ask = await rows.asks.latest(BOB)
        assert ask
        await rows.asks.set_prompt(ask, PROMPT, NOW)
    async with store.writing() as rows:
        await ready(rows, 3, NOW)
        await rows._connection.execute(update(users).where(users.c.id == 3).values(data_key=b"\x02" * 65))
    assert await store.minimise_all() == 3
    async with store.reading() as rows:
        for user_id, line_id in line_ids.items():
            await all_read(rows, user_id, line_id)
        assert len(await stored(rows, shown_prompts.c.prompt_id)) == 2


async def test_finished_rows_are_not_rewritten(store: Store) -> None:
    """After an interruption it begins again with everybody, and an import has most of it done."""
    statements: list[str] = []

    def noted(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    async with store.writing() as rows:
        await live(rows, ALICE)
    event.listen(Engine, "before_cursor_execute", noted)
    try:
        async with store.writing(ALICE) as rows:
            await rows.minimising.minimise(ALICE)
    finally:
        event.remove(Engine, "before_cursor_execute", noted)
    assert any("FROM lines" in each for each in statements)
    assert not any(each.startswith(("UPDATE lines", "UPDATE asks")) for each in statements)


async def test_question_needs_the_data_key(store: Store) -> None:
    async with store.writing() as rows:
        await live(rows, ALICE)
        wrong = KeyRing.new().wrap(new_data_key(), ALICE)
        await rows._connection.execute(update(users).values(data_key=wrong))
    async with store.writing() as rows:
        ask = await rows.asks.latest(ALICE)
        assert ask
        assert ask.prompt_id == UNKNOWN
        await rows.asks.set_prompt(ask, PROMPT, NOW)
        assert PROMPT not in await stored(rows, asks.c.prompt_id)


async def test_simultaneous_lines_stay_in_order(store: Store) -> None:
    """Also one whose words came anew as a later message, and lines of an earlier version."""
    moments = [NOW + timedelta(minutes=at) for at in (0, 1, 1, 12)]
    async with store.writing(ALICE) as rows:
        user = await ready(rows, ALICE, NOW)
        kept_ = [await kept(rows, user, WORDS, moment, message_id=100 + place) for place, moment in enumerate(moments)]
        await rows.lines.change(kept_[0], WORDS, NOW, message_id=200)
        in_order = [line.id for line in reversed(kept_)]
        assert [line.id for line in await rows.lines.page(ALICE, None, 10)] == in_order
        quarters = [await rows.lines.kept_at(line) for line in kept_]
        first, later = NOW.replace(minute=30, second=0, microsecond=0), NOW.replace(minute=45, second=0, microsecond=0)
        assert quarters == [first, first + timedelta(milliseconds=1), first + timedelta(milliseconds=2), later]
        for line, moment in zip(kept_, moments, strict=True):  # as an earlier version stored it
            await rows._connection.execute(update(lines).where(lines.c.id == line.id).values(kept_at=moment))
    assert await store.minimise_all() == 1
    async with store.reading() as rows:
        assert {await rows.lines.kept_at(line) for line in kept_} == set(quarters)
        assert await rows.lines.kept_at(kept_[3]) == later


def test_hidden_id_differs_between_users() -> None:
    key = new_data_key()
    for name in ("a", "worry.slow-start", "x" * 32, "x" * 33):
        hidden = hide(key, name, user=7)
        assert hide(key, name, user=7) == hidden
        assert reveal(key, hidden, user=7) == name
        assert hide(key, name, user=8) != hidden != hide(new_data_key(), name, user=7)
    assert len({len(hide(key, name, user=7)) for name in ("a", "worry.slow-start", "x" * 32)}) == 1
    changed = hidden[:-4] + ("AAA=" if hidden[-4:] != "AAA=" else "AAE=")
    for wrong, user in ((hidden, 8), (changed, 7), ("~", 7), ("~%", 7)):
        with pytest.raises(CannotOpen):
            reveal(key, wrong, user=user)


async def test_work_is_done_in_batches(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a user with many rows, each transaction is short, and lines of one quarter stay in order across them."""
    monkeypatch.setattr(minimising, "_ROWS", 3)
    moments = [NOW + timedelta(seconds=40 * at) for at in range(20)]
    with as_before(monkeypatch):
        async with store.writing(ALICE) as rows:
            user = await ready(rows, ALICE, NOW)
            made = [await kept(rows, user, f"{WORDS} {at}", moments[at], message_id=100 + at) for at in range(20)]
            for line, moment in zip(made, moments, strict=True):
                await rows._connection.execute(
                    update(lines).where(lines.c.id == line.id).values(kept_at=moment, prompt_id=PROMPT)
                )
                await rows._connection.execute(
                    insert(shown_prompts).values(user_id=ALICE, prompt_id=f"a.{line.id}", shown_at=NOW)
                )
    times = 0
    place: Position | None = Position()
    while place is not None:
        async with store.writing(ALICE) as rows:
            place = await rows.minimising.minimise(ALICE, place)
        times += 1
    assert times > 4 * 20 / 3, "questions, shown ones, words and times of twenty lines"
    async with store.reading() as rows:
        for table in (lines, shown_prompts):
            assert all(map(is_hidden, await stored(rows, table.c.prompt_id)))
        assert len(await stored(rows, shown_prompts.c.prompt_id)) == 20
        found = await rows.lines.page(ALICE, None, 30)
        assert [await rows.lines.words(line) for line in reversed(found)] == [f"{WORDS} {at}" for at in range(20)]
        quarters = [await rows.lines.kept_at(line) for line in reversed(found)]
        assert [at and at.microsecond // 1000 for at in quarters] == [*range(16), *range(4)]
        assert await stored(rows, func.length(lines.c.words)) == {1 + 12 + 512 + 16}
