"""An answer that may have been given before: a question is repeated at most once, counted in the answer's row."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.delivery.courier import NotSent
from bot.storage.inbox import NotClaimed, Received
from bot.tg import inbox
from bot.tg.answers import Answers
from bot.tg.screens import Screen
from bot.tg.sender import Sender
from bot.tg.updates import read
from tests.silence.world import A, Beginning, World


async def _nothing_arrives(*_: object, **__: object) -> Any:
    raise NotSent


def _change(folder: Path, statement: str, *values: object) -> None:
    (file,) = folder.rglob("ajar.db")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(statement, values)


async def _later(world: World) -> None:
    await world.until(world.clock.now() + timedelta(minutes=2))


@pytest.mark.parametrize(("unclear", "comes"), [(0, True), (1, True), (2, False), (5, False)])
async def test_question_is_asked_at_most_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unclear: int, comes: bool
) -> None:
    """The state after kills while it was being sent."""
    beginning = await Beginning.make(tmp_path)
    async with beginning.life(tmp_path / "life") as world:
        with monkeypatch.context() as patch:
            patch.setattr(Answers, "_send", _nothing_arrives)
            await world.says(A, "/today")
        _change(tmp_path / "life", "UPDATE notices SET unclear = ? WHERE kind = 'answer'", unclear)
        seen = len(world.recorder.seen[A])
        await _later(world)
        assert (len(world.recorder.seen[A]) > seen) is comes


async def test_edited_question_is_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit puts its question once, however often it is repeated; without it the old question would stay."""
    beginning = await Beginning.make(tmp_path)
    async with beginning.life(tmp_path / "life") as world:
        await world.says(A, "/today")
        message_id, data = next(one for one in world.recorder.buttons(A) if one[1].startswith("v1:another"))
        with monkeypatch.context() as patch:
            patch.setattr(Answers, "_send", _nothing_arrives)
            await world.taps(A, message_id, data)
        _change(tmp_path / "life", "UPDATE notices SET unclear = 2 WHERE kind = 'answer'")
        seen = len(world.recorder.seen[A])
        await _later(world)
        assert "editMessageText" in [call.method for call in world.recorder.seen[A][seen:]]


@pytest.mark.parametrize(
    ("late", "method"), [(timedelta(seconds=1), "editMessageText"), (timedelta(seconds=4), "sendMessage")]
)
async def test_late_tap_answer_is_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: timedelta, method: str
) -> None:
    beginning = await Beginning.make(tmp_path)
    async with beginning.life(tmp_path / "life") as world:
        await world.says(A, "/today")
        message_id, data = next(one for one in world.recorder.buttons(A) if one[1].startswith("v1:skip"))
        with monkeypatch.context() as patch:
            patch.setattr(Answers, "_send", _nothing_arrives)
            await world.taps(A, message_id, data)
        seen = len(world.recorder.seen[A])
        world.clock.advance(late)
        await world.work()
        shown = [call.method for call in world.recorder.seen[A][seen:] if "not today" in call.params]
        assert shown == [method]


async def test_other_versions_answer_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The effect came before an update of the bot that gave the result another name or other fields."""
    beginning = await Beginning.make(tmp_path)
    async with beginning.life(tmp_path / "life") as world:
        with monkeypatch.context() as patch:
            patch.setattr(Answers, "_send", _nothing_arrives)
            for text in ("/help", "/support", "/privacy", "/settings"):
                await world.says(A, text)
        last = A * 1_000_000 + world.updates[A]
        for back, result in enumerate(('["Cancelled",{"nothing":1}]', '["Of the future",{}]', "no JSON")):
            change = "UPDATE notices SET result = ? WHERE subject_id = ?"
            _change(tmp_path / "life", change, result, last - 1 - back)
        seen = len(world.recorder.seen[A])
        await _later(world)
        said = [json.loads(call.params)["text"] for call in world.recorder.seen[A][seen:]]
        assert ["I lost the words" in text for text in said] == [True, True, True, False]


async def test_late_answer_shows_the_present_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that has gone stale while it waited must not go out: by now nobody may see those words."""
    beginning = await Beginning.make(tmp_path)
    async with beginning.life(tmp_path / "life") as world:
        store = world.built.store
        tried = []

        async def waits(*_: object) -> None:
            tried.append(1)
            async with store.writing(A) as rows:
                await rows.users.set_name(A, "A name of now")
            raise NotSent

        with monkeypatch.context() as patch:
            patch.setattr(Answers, "_send", waits)
            await world.says(A, "/settings")
        assert len(tried) == 1, "it is left to its row, not held as it was"
        assert not any("A name of now" in call.params for call in world.recorder.seen[A])
        await _later(world)
        assert "A name of now" in world.recorder.seen[A][-1].params


def _typed(world: World, *texts: str) -> list[Any]:
    """Return updates with these texts from A, one after the other."""
    return [
        {"update_id": A * 1_000_000 + n, "message": world._message(A, 900 + n, text)} for n, text in enumerate(texts, 1)
    ]


async def test_later_answers_keep_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first fails while the others are already on their way from memory."""
    monkeypatch.setattr(inbox, "_PATIENCE", 0)
    beginning = await Beginning.make(tmp_path)
    async with beginning.life(tmp_path / "life") as world:
        send: Callable[..., Any] = Sender.send_all
        all_are_added, failing = asyncio.Event(), [True]

        async def fails_once(*arguments: Any, **named: Any) -> Any:
            if failing:
                failing.clear()
                await all_are_added.wait()
                raise NotSent
            return await send(*arguments, **named)

        monkeypatch.setattr(Sender, "send_all", fails_once)
        await world.built.inbox.take(_typed(world, "/help", "/support", "/privacy"))
        await world.built.inbox.finish()
        all_are_added.set()
        await world.built.outbox.finish()
        await _later(world)
        said = [json.loads(call.params)["text"] for call in world.recorder.seen[A] if call.method == "sendMessage"]
        heads = ("One small question", "Nobody reads", "What is stored")
        assert [next(head for head in heads if head in text) for text in said[-3:]] == list(heads)


@pytest.mark.parametrize("taken_by", ["another process", "itself, before"])
async def test_effect_needs_the_claim(tmp_path: Path, taken_by: str) -> None:
    """A process that was frozen, and wakes up, changes nothing that another one has taken over meanwhile."""
    beginning = await Beginning.make(tmp_path)
    async with beginning.life(tmp_path / "life") as world:
        built = world.built
        (raw,) = _typed(world, "/pause")
        update = read(raw)
        taken = built.inbox._dispatch.find(update)
        assert taken
        owner = built.inbox._owner if taken_by == "itself, before" else 1
        async with built.store.writing() as rows:
            await rows.inbox.add([Received(update.update_id, A, raw)], owner, world.clock.now())
        if taken_by == "itself, before":
            await built.inbox._processor.process(update, taken)
            await built.outbox.finish()
        said = len(world.recorder.seen[A])
        with pytest.raises(NotClaimed):
            await built.inbox._processor.process(update, taken)
        await built.outbox.finish()
        assert len(world.recorder.seen[A]) == said


async def test_lost_safety_card_comes_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it follows has arrived, and must not come twice."""
    card, send = "nobody reads this chat", Sender.send_all
    failed: list[Screen] = []

    async def fails_once(sender: Sender, chat_id: int, screen: Screen, **how: Any) -> list[int]:
        if card in screen.text and not failed:
            failed.append(screen)
            raise NotSent
        return await send(sender, chat_id, screen, **how)

    beginning = await Beginning.make(tmp_path)
    async with beginning.life(tmp_path / "life") as world:
        monkeypatch.setattr(Sender, "send_all", fails_once)
        seen = len(world.recorder.seen[A])
        await world.says(A, "i dont want to live anymore")
        await _later(world)
        calls = world.recorder.seen[A][seen:]
        said = [json.loads(call.params)["text"] for call in calls if call.method == "sendMessage"]
        assert failed
        assert [card in text for text in said] == [False, True]
