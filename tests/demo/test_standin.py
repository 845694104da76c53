"""The tests' own helper: it waits for something new, reports what it saw instead, and runs a bot in its own process."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.demo.conftest import Api
from tests.standin import Person, Telegram, start_bot

GO = {"inline_keyboard": [[{"text": "Go", "callback_data": "go"}], [{"text": "Stay", "callback_data": "stay"}]]}


async def test_hears_waits_for_something_new(api: Api, alice: Person) -> None:
    await api.ok("sendMessage", chat_id=alice.id, text="old news")
    await alice.says("hello")
    with pytest.raises(AssertionError, match="Alice did not see 'news'; new are \\[\\]"):
        await alice.hears("news", seconds=0.1)
    waiting = asyncio.create_task(alice.hears("news"))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    sent = await api.ok("sendMessage", chat_id=alice.id, text="good news")
    assert (await waiting).message_id == sent["message_id"]


async def test_hears_edits_too(api: Api, alice: Person) -> None:
    sent = await api.ok("sendMessage", chat_id=alice.id, text="before", reply_markup=GO)
    await alice.taps("Go")
    waiting = asyncio.create_task(alice.waits_for(lambda seen: not seen.labels))
    await api.ok("editMessageText", chat_id=alice.id, message_id=sent["message_id"], text="after")
    assert (await waiting).text == "after"


async def test_taps_finds_the_newest_button(api: Api, alice: Person, telegram: Telegram) -> None:
    ids = [(await api.ok("sendMessage", chat_id=alice.id, text=text, reply_markup=GO))["message_id"] for text in "ab"]
    await alice.taps("Stay")
    await alice.taps("Go", ids[0])
    taps = [update["callback_query"] for update in await api.ok("getUpdates")]
    assert [(tap["message"]["message_id"], tap["data"]) for tap in taps] == [(ids[1], "stay"), (ids[0], "go")]
    with pytest.raises(AssertionError, match=r"Alice sees no button 'Leave'; there are \['Go', 'Stay', 'Go', 'Stay'\]"):
        await alice.taps("Leave", seconds=0.05)
    assert telegram.pending == 2


async def test_sees_everything_in_the_chat(api: Api, alice: Person) -> None:
    text = "<tg-spoiler>😀 one</tg-spoiler> and <tg-spoiler>two</tg-spoiler>"
    sent = await api.ok("sendMessage", chat_id=alice.id, text=text, parse_mode="HTML")
    assert alice.last.spoilers() == ["😀 one", "two"]
    await api.ok("deleteMessage", chat_id=alice.id, message_id=sent["message_id"])
    await alice.sees_gone(sent["message_id"])
    assert [seen.text for seen in alice.sees] == ["/start"]


async def test_name_always_means_the_same_person(telegram: Telegram) -> None:
    names = ("Charlie", "Bob", "Alice", "Bob", "Charlie")
    people = [await telegram.person(name) for name in names]
    assert [person.id for person in people] == [1003, 1002, 1001, 1002, 1003]


@pytest.fixture
def echo() -> tuple[str, str]:
    return sys.executable, str(Path(__file__).parents[1] / "echo_bot.py")


async def test_bot_in_a_process(
    telegram: Telegram, echo: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AJAR_STRAY", "x")
    alice = await telegram.person("Alice")
    process = start_bot(telegram, tmp_path / "data", command=echo, AJAR_LOG_LEVEL="DEBUG")
    async with process:
        await alice.says("hello")
        await alice.hears("heard hello")
        assert await process.kill() == -9
        await alice.says("are you there?")
        await process.start()
        await alice.hears("heard are you there?")
        await telegram.confirmed()
        assert await process.stop() == 0
    settings = (
        "AJAR_API_URL AJAR_BOT_TOKEN AJAR_CLOCK_FILE AJAR_DATA_DIR AJAR_LOG_FORMAT AJAR_LOG_LEVEL AJAR_MASTER_KEY"
    )
    lines = [line for line in process.output.splitlines() if not line.startswith("pid ")]
    assert lines == [settings, settings, "goodbye"]


async def test_bot_that_ends_says_why(telegram: Telegram, tmp_path: Path) -> None:
    failing = (sys.executable, "-c", "raise SystemExit('no settings')")
    with pytest.raises(AssertionError, match="the bot ended with 1:\nno settings"):
        await start_bot(telegram, tmp_path, command=failing).start()
