"""An answer that must wait delays nobody else and comes in the end."""

import asyncio

import pytest

from bot.demo.faults import Fault
from tests.journeys.conftest import Make
from tests.journeys.house import House, until
from tests.journeys.late import HELP, fault_for, later, told
from tests.standin import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODES = ("polling", "webhook")
MANY = 105
"""More texts than Telegram hands out after the oldest unfinished update, of which it hands out a hundred."""
BY_WEBHOOK = 45
"""Enough texts for a webhook, through which updates don't come in such batches."""


async def _answered_all(house: House, bob: Person, seconds: float = 60) -> None:
    """Let Bob ask for help very often, and expect as many answers."""
    many = BY_WEBHOOK if house.mode == "webhook" else MANY
    messages = bob.chat.messages
    until = len(messages) + 2 * many
    for _ in range(many):
        await bob.says("/help")
    await house.telegram.until(lambda: len(messages) >= until and len(told(bob, HELP)) == many, seconds=seconds)
    assert len(told(bob, HELP)) == many


@pytest.mark.parametrize(("kind", "how"), [("429", {"retry_after": 300}), ("502", {})])
async def test_one_waiting_chat_delays_nobody(house: House, kind: str, how: dict[str, int]) -> None:
    alice, _ = await house.asked()
    bob = await house.settled("Bob")
    await fault_for(house, alice, kind, **how)
    await alice.says("Not to be lost.")
    await _answered_all(house, bob)
    await house.telegram.confirmed()
    assert told(alice, "Kept, and") == []
    assert await house.lines(alice) == ["Not to be lost."]


async def test_several_waiting_chats_delay_nobody(house: House) -> None:
    """From the outside this looks like a 429 for all."""
    held = [(await house.asked(f"Held {number}"))[0] for number in range(5)]
    bob = await house.settled("Bob")
    for person in held:
        await fault_for(house, person, "429", retry_after=300)
    for person in held:
        await person.says("Not to be lost.")
    await until(lambda: all(later(house, person) for person in held), "their answers wait")
    await _answered_all(house, bob, seconds=15)
    await house.telegram.confirmed()


async def test_general_429_delays_but_answers_everybody(house: House) -> None:
    people = [await house.settled(f"One {number}") for number in range(12)]
    called = len(house.telegram.calls())
    house.telegram.world.faults.add(Fault("sendMessage", "429", times=-1, retry_after=4))
    for person in people:
        await person.says("/help")
    await asyncio.sleep(2)
    tried = len(house.telegram.calls("sendMessage", since=called))
    assert tried <= len(people) + 4, "those that were under way, and a few that were tried"
    await house.telegram.no_faults()
    for person in people:
        await person.hears(HELP, seconds=30)
    assert [told(person, HELP) for person in people] == [[HELP]] * len(people)


async def test_waiting_group_delays_nobody(house: House) -> None:
    bob = await house.settled("Bob")
    house.telegram.world.faults.add(Fault("sendMessage", "429", retry_after=5, times=1))
    group = await house.telegram.group(bob)
    await _answered_all(house, bob)
    await house.telegram.until(lambda: group.bot_left, seconds=20)
    assert group.bot_left


@pytest.mark.parametrize(("mode", "end"), [("polling", "kill"), ("polling", "stop"), ("webhook", "kill")])
async def test_answers_that_wait_survive_a_restart(house_of_its_own: Make, mode: str, end: str) -> None:
    """They go to people about whom nothing else is stored."""
    async with house_of_its_own(mode) as house:
        stranger = house.newcomer("Stranger")
        newcomer = await house.consenting("Newcomer")
        await newcomer.says("20:30")
        await newcomer.hears("What time is it for you now?")
        leaver = await house.settled("Leaver")
        await leaver.says("/erase")
        await leaver.hears("This removes everything")
        house.expects("telegram.request")
        for method in ("sendMessage", "editMessageText"):
            house.telegram.world.faults.add(Fault(method, "502", times=-1))
        await stranger.says("/help")
        await stranger.says("/support")
        await newcomer.says("Lisbon")
        await leaver.taps("Erase everything")
        await until(lambda: [later(house, each) for each in (stranger, newcomer, leaver)] == [2, 1, 1], "they wait")
        await (house.bot.kill() if end == "kill" else house.bot.stop(seconds=10))
        await house.telegram.no_faults()
        await house.starts()
        await house.caught_up()
        assert told(stranger, HELP, "Nobody reads this chat") == [HELP, "Nobody reads this chat"]
        await newcomer.hears("Lisbon, Portugal")
        await leaver.hears("I know nothing of you any more.")
        await house.forgets(stranger)
        await house.forgets(leaver)


async def test_hundreds_of_locations_delay_nobody(house: House) -> None:
    """All are from one person, who is asked for their clock; the last one says where they are."""
    alice = await house.consenting()
    await alice.says("20:30")
    await alice.hears("What time is it for you now?")
    bob = await house.settled("Bob")
    called = len(house.telegram.calls())
    for number in range(400):
        latitude, longitude = (52.5, 13.4) if number < 399 else (27.72, 85.32)
        await alice.sends("location", latitude=latitude, longitude=longitude)
    await bob.says("/help")
    await bob.hears(HELP, seconds=10)
    await alice.hears("Kathmandu")
    await house.telegram.confirmed()
    if house.mode == "polling":
        to_alice = [
            call for call in house.telegram.calls("sendMessage", called) if call["params"]["chat_id"] == alice.id
        ]
        assert len(to_alice) < 20, "those before the last of a batch are passed over"


async def test_slow_chat_delays_nobody(house: House) -> None:
    """Its calls take long but succeed, so nothing has to be tried again."""
    alice, bob = await house.settled(), await house.settled("Bob")
    texts = {"/help": HELP, "/privacy": "What is stored.", "/support": "Nobody reads this chat"}
    for text in texts:
        house.telegram.world.faults.add(Fault("sendMessage", "slow", chat_id=alice.id, seconds=5))
        await alice.says(text)
    await _answered_all(house, bob, seconds=12)
    assert len(told(alice, *texts.values())) < 3, "hers take longer"
    await alice.hears("Nobody reads this chat", seconds=40)
    assert told(alice, *texts.values()) == list(texts.values())
    await house.telegram.confirmed()


async def test_many_waiting_strangers_delay_nobody(house: House) -> None:
    """There are as many as Telegram hands out at once."""
    strangers = [house.newcomer("Stranger") for _ in range(MANY)]
    bob = await house.settled("Bob")
    for stranger in strangers:
        await fault_for(house, stranger, "502")
    for stranger in strangers:
        await stranger.says("/help")
    await bob.says("/help")
    await bob.hears(HELP)
    await house.telegram.no_faults()
    for stranger in strangers:
        await stranger.hears(HELP, seconds=60)
    assert [told(stranger, HELP) for stranger in strangers] == [[HELP]] * MANY


async def test_late_answer_before_consent_comes(house: House) -> None:
    stranger, bob = house.newcomer("Stranger"), await house.settled("Bob")
    await fault_for(house, stranger, "429", retry_after=5)
    await stranger.says("/start")
    await stranger.says("hello?")
    await _answered_all(house, bob)
    await house.telegram.no_faults()
    await house.telegram.until(lambda: len([seen for seen in stranger.sees if seen.by_bot]) == 2, seconds=20)
    assert [seen.labels[:1] for seen in stranger.sees if seen.by_bot] == [["I'm 18 or older; keep my lines"]] * 2
    await house.forgets(stranger)
