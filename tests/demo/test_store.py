"""The demo resumes where it was."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.clock import HandClock
from bot.demo import people, store
from bot.demo.render import snapshot
from bot.demo.store import Store
from bot.demo.world import World
from tests.demo.conftest import Api, until
from tests.standin import Telegram, stand_in

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
async def telegram() -> AsyncIterator[Telegram]:
    async with stand_in(clock=HandClock(NOON)) as telegram:
        yield telegram


async def test_everything_comes_back(telegram: Telegram, tmp_path: Path) -> None:
    alice, bob = await telegram.person("Alice"), await telegram.person("Bob")
    async with aiohttp.ClientSession() as session:
        api = Api(session, telegram)
        await alice.says("/start")
        await api.ok("getUpdates", offset=(await api.ok("getUpdates"))[0]["update_id"] + 1, allowed_updates=["message"])
        keys = {"inline_keyboard": [[{"text": "Go", "callback_data": "go"}]]}
        await api.ok("sendMessage", chat_id=alice.id, text="<b>Hi</b>", parse_mode="HTML", reply_markup=keys)
        await api.ok("setMyCommands", commands=[{"command": "help", "description": "Help"}], language_code="de")
        await api.ok("setMyDescription", description="One question a day")
    mine = await alice.says("a line", reply_to=alice.last)
    await alice.sends("photo", caption="look")
    await bob.says("/start")
    await bob.blocks()
    await telegram.group(alice)
    Store(telegram.world, tmp_path).save()

    again = World(telegram.world.now)
    Store(again, tmp_path).load()
    assert snapshot(again, 0) == snapshot(telegram.world, 0)
    assert again.token == telegram.token
    assert list(again.updates.waiting.values()) == list(telegram.world.updates.waiting.values())
    assert len(again.updates.waiting) == 4, "messages only, as was asked for"
    assert {file.content for file in again.files.values()} == {file.content for file in telegram.world.files.values()}
    assert people.says(again, alice.id, "next").message_id > mine
    assert again.person(first_name="Charlie").chat_id == 1003
    newest = list(again.updates.waiting)
    assert newest == list(range(newest[0], newest[0] + 5))


async def test_changes_are_written_soon_and_together(
    telegram: Telegram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "PAUSE", 0.05)
    written: list[Any] = []
    write = Store._write

    def counted(self: Store, *what: Any) -> None:
        written.append(what)
        write(self, *what)

    monkeypatch.setattr(Store, "_write", counted)
    keeper = Store(telegram.world, tmp_path)
    keeper.begin()
    alice = await telegram.person("Alice")
    for n in range(50):
        await alice.says(str(n))
    await until(lambda: "telegram.json" in _names(tmp_path))
    saved = _saved(tmp_path)
    assert saved["chats"][0]["messages"][-1]["content"]["text"] == "49"
    assert len(written) <= 2
    await alice.says("last words")
    await keeper.end()
    assert _saved(tmp_path)["chats"][0]["messages"][-1]["content"]["text"] == "last words"
    assert _names(tmp_path) == ["files", "telegram.json"]


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _saved(folder: Path) -> Any:
    return json.loads((folder / "telegram.json").read_text())


async def test_unsaved_world_starts_empty(telegram: Telegram, tmp_path: Path) -> None:
    Store(telegram.world, tmp_path).load()
    assert sorted(telegram.world.chats) == [1001, 1002]


@pytest.mark.parametrize("content", ['{"version": 99}', '{"version": 1}', "{", "[]"])
def test_foreign_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "telegram.json").write_text(content)
    with pytest.raises(ValueError, match=r"telegram\.json|Expecting"):
        Store(World(lambda: NOON + timedelta()), tmp_path).load()
