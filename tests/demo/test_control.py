"""The control API of the page: state, events, the clock, and who may use it."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.clock import FileClock, HandClock
from bot.demo import walking
from bot.demo.timefile import TimeFile
from tests.demo.conftest import Api
from tests.standin import Person, Telegram, stand_in

GO = {"inline_keyboard": [[{"text": "Go", "callback_data": "go"}, {"text": "Copy", "copy_text": {"text": "code"}}]]}


async def state(api: Api) -> dict[str, Any]:
    status, state = await api.control("state", verb="GET")
    assert status == 200
    return dict(state)


async def phone(api: Api, user_id: int) -> dict[str, Any]:
    return next(phone for phone in (await state(api))["phones"] if phone["user"]["id"] == user_id)


# State


async def test_alice_and_bob_are_there(api: Api) -> None:
    opened = await state(api)
    assert [(phone["user"], phone["started"], phone["chat"]) for phone in opened["phones"]] == [
        ({"id": 1001, "first_name": "Alice", "language_code": "en"}, False, []),
        ({"id": 1002, "first_name": "Bob", "language_code": "en"}, False, []),
    ]
    assert opened["bot"]["username"] == "ajar_demo_bot"
    assert opened["clock"]["live"] is True


async def test_chat_as_the_page_sees_it(api: Api, alice: Person) -> None:
    ask = await api.ok(
        "sendMessage", chat_id=alice.id, text="<b>What</b>?", parse_mode="HTML", reply_markup=GO, protect_content=True
    )
    await alice.says("this", reply_to=ask["message_id"])
    await alice.reacts(ask["message_id"], "👍")
    first, asked, reply = (await phone(api, alice.id))["chat"]
    assert (first["from"], first["text"], first["entities"][0]["type"]) == ("user", "/start", "bot_command")
    assert asked == {
        "message_id": ask["message_id"],
        "date": ask["date"],
        "from": "bot",
        "text": "What?",
        "entities": [{"type": "bold", "offset": 0, "length": 4}],
        "keyboard": [
            [
                {"text": "Go", "kind": "callback", "value": "go"},
                {"text": "Copy", "kind": "copy_text", "value": "code"},
            ]
        ],
        "protected": True,
        "reactions": [{"emoji": "👍", "from": "user"}],
        "deleted": False,
    }
    assert reply["reply_to"] == {"message_id": ask["message_id"], "text": "What?"}


async def test_files_as_the_page_sees_them(api: Api, alice: Person) -> None:
    await alice.sends("photo")
    await alice.sends("document")
    photo, document = (await phone(api, alice.id))["chat"][-2:]
    async with api.session.get(api.telegram.url + photo["photo"]["url"]) as answer:
        assert answer.content_type == "image/png"
        assert (await answer.read()).startswith(b"\x89PNG")
    async with api.session.get(api.telegram.url + document["document"]["url"]) as answer:
        assert answer.headers["Content-Disposition"] == "attachment"
        assert await answer.read() == b"Some notes.\n"
    assert (document["document"]["file_name"], document["document"]["size"]) == ("notes.txt", 12)


async def test_every_act_over_http(api: Api, alice: Person) -> None:
    async def act(name: str, **body: Any) -> tuple[int, Any]:
        return await api.control(f"phones/{alice.id}/{name}", body)

    status, sent = await act("text", text="hello")
    assert status == 200
    mine = sent["message_id"]
    await api.ok("sendMessage", chat_id=alice.id, text="x", reply_markup=GO)
    bots = alice.last.message_id
    assert await act("edit", message_id=mine, text="hello again") == (200, {})
    assert await act("react", message_id=bots, emoji="👍") == (200, {})
    assert await act("react", message_id=bots, emoji="") == (200, {})
    assert await act("tap", message_id=bots, row=0, column=0) == (200, {"kind": "callback", "answer": None})
    assert await act("tap", message_id=bots, data="forged") == (200, {"kind": "callback", "answer": None})
    assert await act("tap", message_id=bots, row=0, column=1) == (200, {"kind": "copy", "text": "code"})
    assert (await act("media", kind="location", latitude=1, longitude=2.5))[0] == 200
    assert (await act("forward", text="x"))[0] == 200
    assert await act("delete", message_id=bots) == (200, {})
    assert await act("language", language_code="de") == (200, {})
    assert await act("block") == (200, {})
    assert await act("unblock") == (200, {})
    kinds = [next(iter(set(update) - {"update_id"})) for update in await api.ok("getUpdates")]
    expected = "message edited_message callback_query callback_query message message my_chat_member my_chat_member"
    assert kinds == expected.split()
    assert (await api.control("pending", verb="GET")) == (200, 8)


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("phones/1001/text", {}, '"text" is missing.'),
        ("phones/1001/text", {"text": 5}, '"text" should be of the kind str.'),
        ("phones/1001/text", {"text": " "}, "A text has between 1 and 4096 characters."),
        ("phones/77/text", {"text": "x"}, "There is no phone 77 here."),
        ("phones/x/text", {"text": "x"}, "An id is a number."),
        ("phones/1001/tap", {"message_id": 1, "row": 0, "column": 0}, "Message 1 has no button 0, 0."),
        ("phones/1001/edit", {"message_id": 9, "text": "x"}, "There is no message 9."),
        ("phones", {}, '"first_name" is missing.'),
        ("groups", {"title": "x", "by": 1001, "type": "circle"}, "A group is a group, a supergroup or a channel."),
        ("groups/5/text", {"text": "x", "by": 1001}, "There is no group 5 here."),
        ("clock", {"advance": "x"}, '"advance" should be of the kind float.'),
        ("clock", {"offset": 1e12}, "The clock moves by ten years at most."),
        ("clock", {"to": "next"}, "This stand-in doesn't know what the bot has planned."),
    ],
)
async def test_impossible_act_is_reported(api: Api, alice: Person, path: str, body: dict[str, Any], error: str) -> None:
    assert alice.chat.started
    assert await api.control(path, body) == (409, {"error": error})


async def test_more_people(api: Api) -> None:
    status, created = await api.control("phones", {"first_name": "Charlie", "language_code": "es"})
    assert (status, created["user"]["id"]) == (200, 1003)
    _, changed = await api.control("phones", {"id": 1003, "last_name": "Brown"})
    assert changed["user"] == {"id": 1003, "first_name": "Charlie", "language_code": "es", "last_name": "Brown"}
    _, chosen = await api.control("phones", {"id": 5000, "first_name": "Dana"})
    _, following = await api.control("phones", {"first_name": "Eve"})
    assert (chosen["user"]["id"], following["user"]["id"]) == (5000, 5001)


async def test_calls_are_listed(api: Api, alice: Person) -> None:
    await api.ok("sendMessage", chat_id=alice.id, text="x")
    await api.refused("sendMessage", chat_id=alice.id, text="")
    _, (sent, refused) = await api.control("calls", verb="GET")
    assert (sent["n"], sent["method"], sent["params"]["text"], sent["status"], sent["ok"]) == (
        1,
        "sendMessage",
        "x",
        200,
        True,
    )
    assert sent["result_or_error"]["text"] == "x"
    assert (refused["status"], refused["ok"], refused["result_or_error"]) == (
        400,
        False,
        "Bad Request: message text is empty",
    )
    assert await api.control("calls?since=1", verb="GET") == (200, [refused])


async def test_tap_waits_for_its_answer(api: Api, alice: Person) -> None:
    await api.ok("sendMessage", chat_id=alice.id, text="x", reply_markup=GO)
    body = {"message_id": alice.last.message_id, "row": 0, "column": 0, "wait": True}
    tap = asyncio.create_task(api.control(f"phones/{alice.id}/tap", body))
    query = (await api.ok("getUpdates", timeout=5))[0]["callback_query"]
    assert not tap.done()
    await api.ok("answerCallbackQuery", callback_query_id=query["id"], text="Kept.", show_alert=True)
    assert await tap == (200, {"kind": "callback", "answer": {"text": "Kept.", "alert": True}})


# Events


async def events(api: Api) -> AsyncIterator[tuple[str, Any]]:
    async with api.session.get(f"{api.telegram.url}/demo/events") as answer:
        assert answer.content_type == "text/event-stream"
        name = "open"
        async for raw in answer.content:
            line = raw.decode().strip()
            if line.startswith(":"):
                yield "comment", line
            elif line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield name, json.loads(line.removeprefix("data: "))


async def test_pages_are_told_what_changes(api: Api, alice: Person) -> None:
    stream = events(api)
    async with asyncio.timeout(10):
        assert (await anext(stream))[0] == "comment"
        for n in range(5):
            await api.ok("sendMessage", chat_id=alice.id, text=str(n), reply_markup=GO)
        name, shown = await anext(stream)
        assert (name, shown["user"]["id"]) == ("phone", alice.id)
        query = await alice.taps("Go")
        await api.ok("answerCallbackQuery", callback_query_id=query.query_id, text="Kept.")
        while name != "toast":
            name, shown = await anext(stream)
        toast = {"user_id": alice.id, "text": "Kept.", "alert": False, "message_id": alice.last.message_id}
        assert shown == toast
        await api.control("clock", {"advance": 60})
        while name != "clock":
            name, shown = await anext(stream)
        assert shown["offset"] == 60
        await api.ok("setMyDescription", description="One question a day")
        while name != "bot":
            name, shown = await anext(stream)
        assert shown["description"] == {"": "One question a day"}
        await api.ok("sendChatAction", chat_id=alice.id, action="typing")
        while name != "action":
            name, shown = await anext(stream)
        assert shown == {"user_id": alice.id, "action": "typing"}
    await stream.aclose()  # type: ignore[attr-defined]


async def test_simultaneous_changes_are_one_event(api: Api, alice: Person) -> None:
    stream = events(api)
    async with asyncio.timeout(10):
        await anext(stream)
        for n in range(200):
            await alice.says(str(n))
        name, shown = await anext(stream)
        assert (name, shown["chat"][-1]["text"]) == ("phone", "199")
    await stream.aclose()  # type: ignore[attr-defined]


# Clock


async def test_moving_the_clock(api: Api, telegram: Telegram) -> None:
    assert telegram.time_file
    bots = FileClock(telegram.time_file.path)
    before = bots.now()
    _, clock = await api.control("clock", {"advance": 3600})
    _, clock = await api.control("clock", {"advance": 3600.5})
    assert clock["offset"] == 7200.5
    assert timedelta(hours=2) < bots.now() - before < timedelta(hours=2, minutes=1)
    assert abs(datetime.fromisoformat(clock["now"]) - bots.now()) < timedelta(minutes=1)
    await api.control("clock", {"offset": 0})
    assert bots.now() - before < timedelta(minutes=1)


async def test_going_to_the_next_due_moment() -> None:
    due: list[datetime | None] = [None]

    async def next_due() -> datetime | None:
        return due[0]

    async with stand_in(next_due=next_due) as telegram, aiohttp.ClientSession() as session:
        api = Api(session, telegram)
        status, body = await api.control("clock", {"to": "next"})
        assert (status, body["error"].split(":")[0]) == (409, "Nothing is due")
        due[0] = moment = telegram.now + timedelta(hours=5)
        walk = asyncio.create_task(api.control("clock", {"to": "next"}))
        while telegram.now < moment:  # noqa: ASYNC110  # the clock sets no event
            await asyncio.sleep(0.01)
        status, body = await api.control("clock", {"to": "next"})
        assert (status, body["error"]) == (409, "The clock is on its way already.")
        telegram.world.version += 1  # the bot has written
        due[0] = None
        status, clock = await walk
        assert status == 200
        assert 5 * 3600 - 1 < clock["offset"] < 5 * 3600 + 1, "never further than what is due"


async def test_idle_bot_ends_the_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "PATIENCE", 0.3)

    async def next_due() -> datetime | None:
        return due

    async with stand_in(next_due=next_due) as telegram, aiohttp.ClientSession() as session:
        due = telegram.now + timedelta(hours=5)
        status, body = await Api(session, telegram).control("clock", {"advance": 86400, "walk": True})
        assert (status, body["error"].split(".")[0]) == (409, "The bot does not do what is due")
        assert telegram.now < due + timedelta(minutes=1), "what the bot has not done is not passed over"


async def test_clock_moved_by_hand() -> None:
    clock = HandClock(datetime(2026, 3, 1, 12, tzinfo=UTC))
    async with stand_in(clock=clock) as telegram, aiohttp.ClientSession() as session:
        telegram.advance(hours=1)
        assert telegram.now == datetime(2026, 3, 1, 13, tzinfo=UTC)
        status, body = await Api(session, telegram).control("clock", {"advance": 1})
        assert (status, "can't be moved" in body["error"]) == (409, True)


def test_partial_offset_is_never_read(tmp_path: Path) -> None:
    time_file = TimeFile(tmp_path / "clock")
    for offset in (0.0, -3600.25, 1e7):
        time_file.set(offset)
        assert TimeFile(tmp_path / "clock").offset == offset
    assert [path.name for path in tmp_path.iterdir()] == ["clock"]


# Access


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Host": "evil.example"}, {"Origin": "null"}])
async def test_pages_of_other_sites_are_refused(api: Api, headers: dict[str, str]) -> None:
    async with api.session.get(f"{api.telegram.url}/demo/state", headers=headers) as answer:
        assert answer.status == 403


async def test_only_json_is_accepted(api: Api) -> None:
    async with api.session.post(f"{api.telegram.url}/demo/clock", data=b'{"advance": 1}') as answer:
        assert answer.status == 415
    async with api.session.get(f"{api.telegram.url}/demo/nothing") as answer:
        assert answer.status == 404


async def test_page_has_a_tight_policy(api: Api) -> None:
    for path, kind in (("/", "html"), ("/static/page.js", "javascript"), ("/static/page.css", "css")):
        async with api.session.get(api.telegram.url + path) as answer:
            assert (answer.status, answer.content_type.rpartition("/")[2]) == (200, kind)
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
            assert answer.headers["Cache-Control"] == "no-cache"
    async with api.session.get(f"{api.telegram.url}/static/../world.py") as answer:
        assert answer.status == 404
