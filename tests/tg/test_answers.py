"""An answer that may have been given before: a question is repeated only so often, counted in its update's row."""

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from bot.tg.answers import Answers
from bot.tg.sender import TooSlow
from tests.silence.world import A, Beginning


@pytest.mark.parametrize(("before", "comes"), [(0, True), (-1, False), (-5, False), (1, False)])
async def test_question_is_asked_at_most_twice(tmp_path: Path, before: int, comes: bool) -> None:
    """The state after kills between its sending and the note that it was sent; `1` is that note."""
    beginning = await Beginning.make(tmp_path)
    async with beginning.life(tmp_path / "life") as world:
        await world.says(A, "/today")
        world.built.processor._answered.clear()  # the process was killed before it could note it
        update_id = A * 1_000_000 + world.updates[A]
        (file,) = (tmp_path / "life").rglob("*.db")
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute("UPDATE updates SET answered = ? WHERE id = ?", (before, update_id))
        seen = len(world.recorder.seen[A])
        await world.built.ingress.take(
            {"update_id": update_id, "message": world._message(A, world.said[A][-1], "/today")}
        )
        assert (len(world.recorder.seen[A]) > seen) is comes


async def test_edited_question_is_repeated_without_limit(tmp_path: Path) -> None:
    """An edit puts its question once, however often it is repeated; without it the old question would stay."""
    beginning = await Beginning.make(tmp_path)
    async with beginning.life(tmp_path / "life") as world:
        await world.says(A, "/today")
        message_id, data = next(one for one in world.recorder.buttons(A) if one[1].startswith("v1:another"))
        await world.taps(A, message_id, data)
        world.built.processor._answered.clear()
        (file,) = (tmp_path / "life").rglob("*.db")
        with closing(sqlite3.connect(file)) as connection, connection:
            last = A * 1_000_000 + world.updates[A]
            connection.execute("UPDATE updates SET answered = -5 WHERE id = ?", (last,))
        seen = len(world.recorder.seen[A])
        world.updates[A] -= 1
        await world.taps(A, message_id, data)
        assert "editMessageText" in [call.method for call in world.recorder.seen[A][seen:]]


async def test_answer_of_another_version_is_reported_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The effect came before an update of the bot that gave the result another name or other fields."""
    beginning = await Beginning.make(tmp_path)
    async with beginning.life(tmp_path / "life") as world:

        async def waits(*_: object) -> None:
            raise TooSlow(timedelta(seconds=10))

        with monkeypatch.context() as patch:
            patch.setattr(Answers, "_send_answer", waits)
            for text in ("/help", "/support", "/privacy", "/settings"):
                await world.says(A, text)
        (file,) = (tmp_path / "life").rglob("*.db")
        last = A * 1_000_000 + world.updates[A]
        with closing(sqlite3.connect(file)) as connection, connection:
            for back, result in enumerate(('["Cancelled",{"nothing":1}]', '["Of the future",{}]', "no JSON")):
                connection.execute("UPDATE updates SET result = ? WHERE id = ?", (result, last - 1 - back))
        seen = len(world.recorder.seen[A])
        await world.until(world.clock.now() + timedelta(minutes=1))
        said = [json.loads(call.params)["text"] for call in world.recorder.seen[A][seen:]]
        assert ["I lost the words" in text for text in said] == [True, True, True, False]
        with closing(sqlite3.connect(file)) as connection:
            states = connection.execute("SELECT state FROM notices WHERE kind = 'answer'").fetchall()
        assert states == [("sent",)] * 4


async def test_late_answer_shows_the_present_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has changed while it waited must not go out as it was: by now nobody may see those words."""
    beginning = await Beginning.make(tmp_path)
    async with beginning.life(tmp_path / "life") as world:
        store = world.built.store
        tried = []

        async def waits(*_: object) -> None:
            tried.append(1)
            async with store.writing(A) as rows:
                await rows.users.set_name(A, "A name of now")
            raise TooSlow(timedelta(seconds=10))

        with monkeypatch.context() as patch:
            patch.setattr(Answers, "_send_answer", waits)
            await world.says(A, "/settings")
        assert len(tried) == 1, "it is left to the outbox, not held as it was"
        assert not any("A name of now" in call.params for call in world.recorder.seen[A])
        await world.until(world.clock.now() + timedelta(seconds=11))
        assert "A name of now" in world.recorder.seen[A][-1].params
