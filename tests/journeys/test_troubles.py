"""What Telegram and the network do on a bad day, as seen by somebody who just wants an answer."""

import asyncio
import sqlite3
from contextlib import closing
from typing import Any

import aiohttp
import pytest

from bot.demo.webhook import Hook
from tests.journeys.house import House, free_port, is_question, questions, until
from tests.journeys.late import fault_for, later
from tests.standin import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

HELP = "One small question a day, one line back. It"


def copies(person: Person, part: str) -> int:
    return len([seen for seen in person.sees if seen.by_bot and part in seen.text])


@pytest.mark.parametrize(
    ("kind", "most"),
    [
        ("429", 1),
        ("502", 1),
        ("404", 1),
        ("401", 1),
        ("cut_before", 1),
        ("cut_after", 2),
        ("malformed", 2),
        ("slow", 1),
    ],
)
async def test_answer_comes_despite_any_fault(house: House, kind: str, most: int) -> None:
    house.expects("telegram.request")  # it logs that an answer can't be read
    alice, _ = await house.asked()
    await house.telegram.fault("sendMessage", kind, chat_id=alice.id)
    await alice.says("Not to be lost.")
    await alice.hears("Kept, and")
    await house.caught_up()
    assert 1 <= copies(alice, "Kept, and") <= most
    assert await house.lines(alice) == ["Not to be lost."]


STRANGE: list[Any] = [None, {"message_id": 10**30}, [[[{}]]]]
"""A few of the results in tests/tg/test_strange_answers.py."""


async def test_strange_results_repeat_once(house: House) -> None:
    """If a message may have arrived, it is sent at most once more. Nobody's words are in the log."""
    house.expects("none")  # but Telegram refuses to answer a tap twice
    alice, bob = await house.settled(), await house.settled("Bob")
    said = len(house.bot.output)
    await alice.says("/today")
    await alice.waits_for(is_question)
    methods = ("sendMessage", "editMessageText", "editMessageReplyMarkup", "answerCallbackQuery")
    for result in STRANGE:
        before = copies(alice, HELP)
        for method in methods:
            await house.telegram.fault(
                method, "strange", chat_id=None if method == methods[-1] else alice.id, result=result
            )
        await house.telegram.fault("getUpdates", "strange", result=result or {})
        await alice.taps("Not today")
        await alice.hears("All right, not today.", seconds=30)
        await alice.taps("Bring it back")
        await alice.waits_for(is_question, seconds=30)
        await alice.says("/help")
        await until(lambda before=before: copies(alice, HELP) > before, "an answer")
        await house.telegram.no_faults()
        await bob.says("/help")
        await bob.hears(HELP)
        await house.caught_up(seconds=40)
        assert copies(alice, HELP) <= before + 2
    output = house.bot.output[said:]
    assert "telegram.strange" in output
    assert "Traceback" not in output
    assert " ERROR " not in output


@pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
async def test_answer_comes_when_connections_break_twice(house: House, kind: str) -> None:
    alice, _ = await house.asked()
    await house.telegram.fault("sendMessage", kind, chat_id=alice.id, times=2)
    await alice.says("Not to be lost.")
    await alice.hears("Kept, and")
    await house.caught_up()
    assert 1 <= copies(alice, "Kept, and") <= 3


async def test_idempotent_calls_are_retried(house: House) -> None:
    house.expects("none")  # but Telegram refuses to stop a spinner twice
    alice, _ = await house.asked()
    await house.telegram.fault("editMessageText", "cut_before", chat_id=alice.id, times=4)
    await alice.taps("Not today")
    await alice.hears("All right, not today.")


async def test_old_tap_gets_a_message(house: House) -> None:
    house.expects("none")  # but Telegram refuses the toast
    alice, asked = await house.asked()
    description = "Bad Request: query is too old and response timeout expired or query ID is invalid"
    await house.telegram.fault("answerCallbackQuery", "400", description=description)
    await alice.taps_data(asked, "v0:skip:1")
    await alice.hears("That button is from an earlier time.")


async def test_expired_tap_is_not_acknowledged(house: House) -> None:
    alice, _ = await house.asked()
    await fault_for(house, alice, "429", retry_after=4)
    await alice.taps("Not today")
    await until(lambda: later(house, alice) > 0, "the answer waits")
    await house.telegram.no_faults()
    called = len(house.telegram.calls())
    house.telegram.advance(minutes=6)
    await alice.hears("All right, not today.")
    assert not house.telegram.calls("answerCallbackQuery", since=called)


async def test_cut_connections_bring_three_copies(house: House) -> None:
    alice, _ = await house.asked()
    await house.telegram.fault("sendMessage", "cut_after", chat_id=alice.id, times=-1)
    await alice.says("Not to be lost.")
    await alice.hears("Kept, and")
    await house.caught_up()
    await until(lambda: not _open_notices(house, alice), "no more is sent")
    assert copies(alice, "Kept, and") == 3
    await house.telegram.no_faults()
    assert await house.lines(alice) == ["Not to be lost."]


@pytest.mark.parametrize("kind", ["429", "502", "404", "cut_before", "cut_after", "malformed"])
async def test_tap_works_despite_a_failed_answer(house: House, kind: str) -> None:
    house.expects("telegram.request")  # it logs that an answer can't be read
    alice, _ = await house.asked()
    await house.telegram.fault("editMessageText", kind, chat_id=alice.id)
    await alice.taps("Not today")
    await alice.hears("All right, not today.")
    await house.telegram.fault("answerCallbackQuery", kind)
    await alice.taps("Bring it back")
    await alice.waits_for(is_question)
    assert [state for _, state in house.asks(alice)] == ["open"]


async def test_refused_answer_harms_nobody(house: House) -> None:
    house.expects("incident")
    alice = await house.settled()
    await house.telegram.fault("sendMessage", "400", chat_id=alice.id, description="Bad Request: message is too long")
    await alice.says("/help")
    await house.caught_up()
    await alice.says("/privacy")
    await alice.hears("What is stored.")
    assert copies(alice, HELP) == 0


@pytest.mark.parametrize("description", ["Forbidden: bot was blocked by the user", "Forbidden: user is deactivated"])
async def test_unreachable_user_is_not_written_to(house: House, description: str) -> None:
    alice = await house.settled()
    await house.telegram.fault("sendMessage", "403", chat_id=alice.id, description=description)
    await alice.says("/help")
    await until(lambda: house.stored("SELECT 1 FROM users WHERE id = ? AND blocked_at > 0", alice.id), "blocked")
    assert house.stored("SELECT next_ask_at FROM users WHERE id = ?", alice.id) == [(None,)]


@pytest.mark.parametrize("kind", ["400", "403"])
async def test_recovered_chat_is_asked_and_answered(house: House, kind: str) -> None:
    house.expects("none")  # but Telegram refuses the first try
    description = {"400": "Bad Request: chat not found", "403": "Forbidden: of a kind nobody has heard of"}[kind]
    alice = await house.settled()
    await house.telegram.fault("sendMessage", kind, chat_id=alice.id, description=description)
    await alice.says("/help")
    await alice.hears(HELP)
    await house.telegram.fault("sendMessage", kind, chat_id=alice.id, description=description)
    said = len(house.bot.output)
    house.telegram.advance(hours=11, minutes=31)
    await house.logs("chat.not_found", after=said)
    house.telegram.advance(minutes=1)
    await alice.waits_for(is_question)
    assert house.stored("SELECT blocked_at FROM users WHERE id = ?", alice.id) == [(None,)]
    assert house.stored("SELECT next_ask_at > 0 FROM users WHERE id = ?", alice.id) == [(1,)]


@pytest.mark.parametrize(("kind", "most"), [("429", 1), ("502", 1), ("404", 1), ("cut_before", 1), ("cut_after", 2)])
async def test_question_comes_despite_any_fault(house: House, kind: str, most: int) -> None:
    house.expects("telegram.request")
    alice = await house.settled()
    await house.telegram.fault("sendMessage", kind, chat_id=alice.id)
    await house.moves_on(alice, hours=11, minutes=31)
    await alice.says("Its answer.", reply_to=questions(alice)[-1])
    await alice.hears("Kept, and")
    await until(lambda: not _open_notices(house, alice), "the outbox is empty")
    assert 1 <= len(questions(alice)) <= most
    assert house.asks(alice)[0][1] == "answered"


async def test_cut_question_comes_at_most_twice(house: House) -> None:
    alice = await house.settled()
    await house.telegram.fault("sendMessage", "cut_after", chat_id=alice.id, times=-1)
    await house.moves_on(alice, hours=11, minutes=31)
    await until(lambda: not _open_notices(house, alice), "the outbox is empty")
    await house.telegram.no_faults()
    assert len(questions(alice)) == 2
    await alice.says("One answer.")
    await alice.hears("Kept, and")


def _open_notices(house: House, person: Person) -> list[Any]:
    return house.stored("SELECT 1 FROM notices WHERE user_id = ? AND settled_at IS NULL AND kind != 'recap'", person.id)


async def test_slow_answer_to_one_delays_nobody(house: House) -> None:
    alice, bob = await house.settled(), await house.settled("Bob")
    await house.telegram.fault("sendMessage", "slow", chat_id=alice.id, seconds=3.0)
    await alice.says("/help")
    await bob.says("/help")
    await bob.hears(HELP, seconds=2.5)
    assert copies(alice, HELP) == 0
    await alice.hears(HELP)


@pytest.mark.parametrize("kind", ["404", "401", "429", "502", "cut_before", "cut_after", "repeat", "shuffle"])
async def test_receiving_goes_on_despite_any_fault(house: House, kind: str) -> None:
    house.expects("none")  # but the 404 is one that was not the bot's fault
    alice, bob = await house.settled(), await house.settled("Bob")
    await house.telegram.fault("getUpdates", kind)
    await asyncio.gather(alice.says("/help"), bob.says("/help"))
    await alice.says("/privacy")
    await alice.hears("What is stored.")
    await bob.hears(HELP)
    await house.caught_up()
    told = [HELP in seen.text for seen in alice.sees if HELP in seen.text or "What is stored." in seen.text]
    assert told == [True, False]  # once each, and in order
    assert copies(bob, HELP) == 1


async def test_malformed_update_is_passed_over_alone(house: House) -> None:
    house.expects("incident")
    alice = await house.settled()
    await house.telegram.fault("getUpdates", "malformed")
    await alice.says("/help")
    await alice.hears(HELP)
    await house.caught_up()


async def test_bot_waits_for_a_second_bot(house: House) -> None:
    alice = await house.settled()
    await house.caught_up()  # so that the bot waits for more
    called = len(house.telegram.calls())
    async with aiohttp.ClientSession() as session:
        for _ in range(3):
            await session.post(f"{house.telegram.url}/bot{house.telegram.token}/getUpdates", json={"timeout": 0})
    await alice.says("/help")
    await alice.hears(HELP)
    assert copies(alice, HELP) == 1
    assert 409 in {call["status"] for call in house.telegram.calls("getUpdates", since=called)}


async def test_foreign_webhook_loses_nothing(house: House) -> None:
    """It isn't removed, since somebody wants it; once it is gone, what waited behind it is answered."""
    alice = await house.settled()
    await house.caught_up()
    called = len(house.telegram.calls())
    await house.telegram.world.webhook.set(Hook(f"http://127.0.0.1:{free_port()}/other", "", 40))
    await alice.says("/help")
    await house.telegram.until(
        lambda: any(call["status"] == 409 for call in house.telegram.calls("getUpdates", since=called))
    )
    assert house.telegram.world.webhook.hook is not None
    await house.telegram.world.webhook.stop()
    await alice.hears(HELP, seconds=20)


def message(person: Person, text: Any = "/help", **more: Any) -> dict[str, Any]:
    """An update as Telegram sends it."""
    chat = {"id": person.id, "type": "private", "first_name": person.name}
    user = {"id": person.id, "is_bot": False, "first_name": person.name, "language_code": "en"}
    command = [{"type": "bot_command", "offset": 0, "length": 5}] if text == "/help" else []
    return {"message_id": 7_000_001, "date": 1, "chat": chat, "from": user, "text": text, "entities": command, **more}


async def test_unknown_fields_do_no_harm(house: House) -> None:
    alice = await house.settled()
    known = message(alice, new_field={"deep": [1, {"er": None}]})
    known["from"]["is_telepathic"] = True
    known["entities"][0]["mood"] = "warm"
    house.telegram.world.updates.add_raw({"message": known, "thought_update": {"id": 1}})
    await alice.hears(HELP)
    house.telegram.world.updates.add_raw({"thought_update": {"id": 2, "from": known["from"]}})
    await house.caught_up()
    assert copies(alice, HELP) == 1


def _broken(good: dict[str, Any]) -> list[dict[str, Any]]:
    tap = {"id": "1", "from": good["from"], "chat_instance": "1"}
    return [
        {},
        {"message": None},
        {"message": "text"},
        {"message": []},
        {"message": {}},
        {"message": {"message_id": 1}},
        {"message": {**good, "chat": None}},
        {"message": {**good, "from": 12}},
        {"message": {**good, "date": "yesterday"}},
        {"message": {**good, "date": 10**20}},
        {"message": {**good, "entities": "none"}},
        {"edited_message": 5},
        {"callback_query": {"id": "1"}},
        {"callback_query": tap},
        {"callback_query": {**tap, "data": 5}},
        {"my_chat_member": {}},
        {"my_chat_member": {"chat": good["chat"], "from": good["from"], "date": 1}},
    ]


async def test_malformed_updates_are_passed_over(house: House) -> None:
    house.expects("incident", "update.failed")
    alice = await house.settled()
    for each in range(len(_broken(message(alice)))):  # of different people, who don't wait for each other
        house.telegram.world.updates.add_raw(_broken(message(house.newcomer()))[each])
    await alice.says("/privacy")
    await alice.hears("What is stored.")
    await house.caught_up(seconds=30)


@pytest.mark.parametrize("name", ["\ud83d", "A\udc00"])
async def test_lone_surrogate_breaks_no_network(house: House, name: str) -> None:
    """JSON may contain half a character, which can't be made into text; sent again, it would fail again."""
    house.expects("incident", "update.failed")
    alice, bob = await house.settled(), await house.settled("Bob")
    tap = {"from": message(alice)["from"], "chat_instance": "1", "data": "v0:skip:1"}
    tapped = {**message(alice), "from": {"id": 1, "is_bot": True, "first_name": "Ajar"}}
    house.telegram.world.updates.add_raw({"callback_query": {**tap, "id": name, "message": tapped}})
    await alice.hears("That button is from an earlier time.")
    for text in ("/start", "/pair", f"/settings {name}", name):
        broken = message(alice, text, entities=[{"type": "bot_command", "offset": 0, "length": len(text)}])
        broken["from"]["first_name"] = name
        house.telegram.world.updates.add_raw({"message": broken})
    await bob.says("/help")
    await bob.hears(HELP)
    await house.caught_up()
    await alice.says("/help")
    await alice.hears(HELP)


def _set_rhythm(house: House, person: Person, rhythm: str) -> None:
    """Change the row that each of this person's updates begins with: one that can't be read makes it fail."""
    with closing(sqlite3.connect(house.bot.data_dir / "ajar.db", timeout=10)) as connection, connection:
        connection.execute("UPDATE users SET rhythm = ? WHERE id = ?", (rhythm, person.id))


async def test_failing_update_gets_five_tries(house: House) -> None:
    house.expects("incident", "update.failed")
    alice, bob = await house.settled(), await house.settled("Bob")
    said = len(house.bot.output)
    _set_rhythm(house, alice, "damaged")
    update_id = house.telegram.world.updates.add_raw({"message": message(alice, "/help")})
    await bob.says("/help")
    await bob.hears(HELP)
    sorry = await alice.hears("Something went wrong on my side, and I couldn't do that. Please send it once more.")
    await house.caught_up()
    assert house.stored("SELECT tries FROM inbox WHERE id = ?", update_id) == [(5,)]
    log = house.bot.output[said:]
    assert log.count(f"update={update_id} tries=") == 4
    assert f"incident={sorry.text.split()[-1]}" in log
    _set_rhythm(house, alice, "daily")
    await alice.says("/help")
    await alice.hears(HELP)
