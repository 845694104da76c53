"""What works for everybody, whenever and wherever: help, support, privacy; the menu; groups; old and forged buttons."""

import asyncio

import pytest

from bot.demo import people
from bot.i18n import BASE, languages, say_in
from bot.tg.screens import always
from tests.journeys.house import AGREE, HOUR_FIRST, House, is_question
from tests.standin import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODES = ("webhook",)


async def _new(house: House) -> Person:
    return house.newcomer()


async def _declining(house: House) -> Person:
    alice = house.newcomer()
    await alice.says("/start")
    await alice.taps("Not now")
    await alice.hears("Nothing was stored")
    return alice


async def _at_the_hour(house: House) -> Person:
    return await house.consenting()


async def _waiting(house: House) -> Person:
    return await house.settled()


async def _asked(house: House) -> Person:
    return (await house.asked())[0]


async def _told(house: House) -> Person:
    return (await house.told())[0]


async def _changing(house: House) -> Person:
    alice, _ = await house.told()
    await alice.taps("Change")
    await alice.hears("Send it the way you want it.")
    return alice


async def _pausing(house: House) -> Person:
    alice = await house.settled()
    await alice.says("/pause")
    await alice.taps("Until I say so")
    await alice.hears("Paused")
    return alice


STATES = {
    "new": _new,
    "declined": _declining,
    "at the hour": _at_the_hour,
    "waiting": _waiting,
    "asked": _asked,
    "answered": _told,
    "changing": _changing,
    "paused": _pausing,
}


@pytest.mark.parametrize("state", STATES)
async def test_general_commands_work_in_every_state(house: House, state: str) -> None:
    alice = await STATES[state](house)
    await house.caught_up()
    known = house.remembers(alice)
    await alice.says("/cancel")
    awaited = state in {"at the hour", "changing"}
    await alice.hears("All right. Nothing has changed." if awaited else "There is nothing to cancel.")
    await alice.says("/support")
    support = await alice.hears("Nobody reads this chat")
    assert "112 or 911" in support.text
    await alice.says("/privacy")
    privacy = await alice.hears("What is stored.")
    assert "it is not end-to-end encrypted" in privacy.text
    assert privacy.marked("bold")[:2] == ["In short.", "Who runs this."]
    await alice.says("/help")
    help_ = await alice.hears("/privacy")
    is_set_up = state not in {"new", "declined", "at the hour"}
    usable = [command for command, _ in always.commands(say_in("en"))] if is_set_up else ["start", "support"]
    for command in usable:
        assert f"/{command} " in help_.text
    await alice.says("/thereisnosuchcommand with words")
    await alice.hears("I don't know that command. /help shows the ones I know.")
    await alice.says("/help@ajar_demo_bot")
    await alice.hears("/privacy")
    await house.caught_up()
    assert house.remembers(alice) == known


@pytest.mark.parametrize("state", ["new", "declined"])
async def test_nothing_is_stored_before_consent(house: House, state: str) -> None:
    alice = await STATES[state](house)
    for text in ("Hello", "/today", "/pause", "/resume", "/start", "/cancel", "/start x"):
        await alice.says(text)
        await alice.waits_for(lambda seen: bool(seen.text))
    await alice.sends("voice")
    await alice.waits_for(lambda seen: bool(seen.text))
    await house.forgets(alice)


@pytest.mark.parametrize("kind", ["group", "supergroup", "channel"])
async def test_bot_says_goodbye_to_groups(house: House, kind: str) -> None:
    alice = house.newcomer()
    called = len(house.telegram.calls())
    group = await house.telegram.group(alice, "Family", kind)
    await house.telegram.until(lambda: group.bot_left)
    assert group.bot_left
    await house.caught_up()
    said = [message.content["text"] for message in group.messages.values() if message.by_bot]
    assert said == ["I'm made for private chats only, so I'm leaving. Write to me there."]
    left = house.telegram.calls("leaveChat", since=called)
    assert [call["status"] for call in left][:1] == [200]
    await house.forgets(alice)
    assert house.stored("SELECT 1 FROM users WHERE id = ?", group.chat_id) == []


async def test_bot_leaves_an_unwritable_group(house: House) -> None:
    alice = house.newcomer()
    await house.telegram.fault("sendMessage", "403", description="Forbidden: not enough rights to send text messages")
    group = await house.telegram.group(alice)
    await house.telegram.until(lambda: group.bot_left)
    assert group.bot_left


@pytest.mark.parametrize("kind", ["429", "502", "cut_before"])
async def test_failed_call_does_not_stop_leaving(house: House, kind: str) -> None:
    house.expects("telegram.request")  # it logs that an answer can't be read
    alice = house.newcomer()
    for method in ("sendMessage", "leaveChat"):
        await house.telegram.fault(method, kind)
    group = await house.telegram.group(alice)
    await house.telegram.until(lambda: group.bot_left)
    assert group.bot_left
    said = [message for message in group.messages.values() if message.by_bot]
    assert len(said) == 1, "it said why"


async def test_bot_leaves_a_new_supergroup(house: House) -> None:
    house.expects("none")  # but Telegram refuses what is sent to the old number
    alice = house.newcomer()
    group = await house.telegram.group(alice)
    became = people.upgrades_group(house.telegram.world, group.chat_id, alice.id)
    await house.telegram.until(lambda: became.bot_left)
    assert became.bot_left
    await house.caught_up()
    said = [message.content["text"] for message in became.messages.values() if message.by_bot]
    assert len(said) == 1


@pytest.mark.parametrize("description", ["chat not found", "CHAT_WRITE_FORBIDDEN", "group chat was deactivated"])
async def test_refused_goodbye_is_not_repeated(house: House, description: str) -> None:
    house.expects("none")
    alice = house.newcomer()
    called = len(house.telegram.calls())
    for method in ("sendMessage", "leaveChat"):
        await house.telegram.fault(method, "400", times=-1, description=f"Bad Request: {description}")
    await house.telegram.group(alice)
    await house.caught_up()
    tries = len(house.telegram.calls("leaveChat", since=called))
    assert 1 <= tries <= 10, "a few for each of the two updates"


async def test_group_tap_is_not_answered_there(house: House) -> None:
    """Its buttons may be from a time when others could see them; nothing about its user is said in front of them."""
    alice, asked = await house.asked()
    group = await house.telegram.group(alice)
    await house.telegram.until(lambda: group.bot_left)
    message_id = next(iter(group.messages))
    seen = asked.markup["inline_keyboard"][0][0]["callback_data"]
    for data in (seen, "v1:settings", "nonsense"):
        query = people.taps_in_group(house.telegram.world, group.chat_id, message_id, data, alice.id)
        assert (await asyncio.wait_for(asyncio.shield(query.answer), 20) or {}).get("text", "") == ""
    await house.caught_up()
    said = [message for message in group.messages.values() if message.by_bot]
    assert len(said) == 1
    assert alice.last == asked, "nor anywhere else"


async def test_private_chat_survives_a_group(house: House) -> None:
    alice, _ = await house.asked()
    await house.telegram.group(alice)
    await alice.says("Said in private.")
    await alice.hears("Kept, and")
    assert await house.lines(alice) == ["Said in private."]


async def test_menu_is_registered_in_every_language(house: House) -> None:
    world = house.telegram.world
    await house.telegram.until(lambda: len(house.telegram.calls("setMyShortDescription")) >= len(languages()))
    for language in languages():
        say, code = say_in(language), "" if language == BASE else language
        registered = [(each["command"], each["description"]) for each in world.commands["default"][code]]
        assert registered == list(always.commands(say))
        assert world.descriptions["description"][code] == always.description(say)
        assert world.descriptions["short_description"][code] == always.short_description(say)
        assert len(always.description(say)) <= 512
        assert len(always.short_description(say)) <= 120


FORGED = (
    "", "x", "v1", "v1:", "v1::", "v0:skip:1", "v1:nosuch:1", "v1:skip:", "v1:skip:0", "v1:skip:999", "v1:skip:-1",
    "v1:skip:1e3", "v1:skip:٣", "v1:skip:9223372036854775808", "v1:skip:" + "9" * 50, "v1:later:abc",
    "v1:snooze:never.1", "v1:snooze:hour", "v1:snooze:hour.", "v1:snooze:hour.x", "v1:another:1", "v1:lighter:1",
    "v1:back:1", "v1:change:1", "v1:line:1", "v1:delete:1", "v1:erase_line:1", "v1:keep:1", "v1:replace:1",
    "v1:shorten:1", "v1:drop:1", "v1:hour:2530", "v1:hour:", "v1:hour:ab", "v1:zone:Mars/Phobos", "v1:zone:",
    "v1:zone:../../etc/passwd", "v1:zone:Etc/GMT+5", "v1:clock:99999", "v1:clock:x", "v1:clock:", "v1:place:",
    "v1:erase_all:", "v1:erase_all:0", "v1:erase_all:x", "v1:erase_all:9223372036854775807", "v1:erase_none:x",
    "v1:clocks:", "v1:consent:", "v1:decline:", "v1:wait:zzz", "v1:\x00:\x00", "v1:skip:1:2:3", "V1:skip:1",
)  # fmt: skip


async def test_forged_buttons_do_nothing(house: House) -> None:
    alice, question = await house.asked()
    for data in FORGED:
        await alice.taps_data(question, data)
        await alice.answered()
    await alice.says("Still here.")
    await alice.hears("Kept, and")
    assert await house.lines(alice) == ["Still here."]
    assert house.stored("SELECT ask_at, zone FROM users WHERE id = ?", alice.id) == [("20:30", "Europe/Lisbon")]


async def test_forged_start_buttons_skip_no_step(house: House) -> None:
    alice = await house.consenting()
    forged = (
        "v1:hour:2530", "v1:hour:", "v1:hour:otherwise", "v1:zone:Mars/Phobos", "v1:zone:Etc/GMT+5", "v1:clock:x",
        "v1:snooze:hour.77", "v1:snooze:tonight.77", "v1:later:77", "v1:skip:77", "v1:another:77", "v1:lighter:77",
        "v1:back:77", "v1:erase_all:99999999999999", "v1:erase_all:x",
    )  # fmt: skip
    for data in forged:
        await alice.taps_data(alice.last, data)
        await alice.answered()
    await alice.says("/start")
    await alice.taps(HOUR_FIRST, await alice.waits_for(is_question))
    await alice.hears("When should I ask you?")
    await alice.taps("20:30")
    clocks = await alice.hears("What time is it for you now?")
    for data in forged:
        await alice.taps_data(clocks, data)
        await alice.answered()
    assert house.stored("SELECT ask_at, zone FROM users WHERE id = ?", alice.id) == [("20:30", None)]


async def test_somebody_elses_button_does_nothing(house: House) -> None:
    alice, question = await house.asked()
    await alice.says("Mine alone.")
    kept = await alice.hears("Kept, and")
    charlie, his = await house.asked("Charlie")
    buttons = [
        button["callback_data"] for seen in (question, kept) for row in seen.markup["inline_keyboard"] for button in row
    ]
    line = next(data for data in buttons if ":delete:" in data).rpartition(":")[2]
    for data in (*buttons, f"v1:erase_line:{line}", f"v1:line:{line}"):
        await charlie.taps_data(his, data)
        await charlie.answered()
        assert not any("Mine alone." in seen.text for seen in charlie.sees)
    assert await house.lines(alice) == ["Mine alone."]
    assert [state for _, state in house.asks(alice)] == ["answered"]


async def test_same_tap_twice_has_one_effect(house: House) -> None:
    alice, question = await house.asked()
    skip = next(b["callback_data"] for row in question.markup["inline_keyboard"] for b in row if "skip" in str(b))
    first, second = await alice.taps_data(question, skip), await alice.taps_data(question, skip)
    await asyncio.wait_for(asyncio.gather(first.answer, second.answer), 10)
    await alice.says("A thought.")
    await alice.hears("Keep this as a line for today?")
    keep = alice.last.markup["inline_keyboard"][0][0]["callback_data"]
    both = [await alice.taps_data(alice.last, keep) for _ in range(2)]
    await asyncio.wait_for(asyncio.gather(*(query.answer for query in both)), 10)
    assert await house.lines(alice) == ["A thought."]


async def test_agreeing_twice_makes_one_user(house: House) -> None:
    alice = house.newcomer()
    await alice.says("/start")
    greeting = await alice.hears("One small question a day")
    for _ in range(3):
        await alice.taps_data(greeting, "v1:consent:")
    await alice.waits_for(is_question)
    await house.caught_up()
    assert house.stored("SELECT count(*) FROM users WHERE id = ?", alice.id) == [(1,)]


async def test_button_on_a_deleted_message_works(house: House) -> None:
    alice, question = await house.asked()
    skip = next(b["callback_data"] for row in question.markup["inline_keyboard"] for b in row if "skip" in str(b))
    house.expects("none")  # Telegram refuses the edit, which tells the bot that the message is gone
    house.telegram.world.delete(house.telegram.world.chats[alice.id].messages[question.message_id])
    await alice.taps_data(question.message_id, skip)
    fine = await alice.hears("All right, not today.")
    assert fine.message_id > question.message_id


async def test_earlier_question_can_be_answered(house: House) -> None:
    alice, monday = await house.asked()
    await house.moves_on(alice, hours=35, minutes=31)
    for label in ("Not today", "Later", "Another one", "Something lighter"):
        await alice.taps(label, monday)
        assert "That question has passed." in await alice.answered()
    assert [state for _, state in house.asks(alice)] == ["left", "open"]


async def test_oldest_greeting_still_agrees(house: House) -> None:
    alice = house.newcomer()
    await alice.says("/start")
    greeting = await alice.hears("One small question a day")
    await house.caught_up()
    house.telegram.advance(days=60)
    await alice.taps(AGREE, greeting)
    await alice.waits_for(is_question)


async def test_start_adds_today_to_the_menu(house: House) -> None:
    alice = await house.settled()
    await alice.says("/TODAY")
    await alice.waits_for(is_question)
