"""An answer that must wait: it keeps nobody else from being heard, and comes all the same."""

import asyncio
from typing import Any

import pytest

from bot.demo.faults import Fault
from tests.journeys.conftest import Make
from tests.journeys.house import House, is_question, questions
from tests.standin import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODES = ("polling", "webhook")
HELP = "One small question a day"
MANY = 130
"""More texts than Telegram hands out from the oldest unfinished update on."""


def told(person: Person, *parts: str) -> list[str]:
    """Which of these the bot said, in the order in which it did."""
    said = [seen.text for seen in person.sees if seen.by_bot]
    return [part for text in said for part in parts if part in text]


async def fault_for(house: House, person: Person, kind: str, **how: Any) -> None:
    """Whatever the bot sends to this person goes wrong."""
    house.expects("telegram.request")  # it says that a 502 can't be read
    for method in ("sendMessage", "editMessageText"):
        house.telegram.world.faults.add(Fault(method, kind, chat_id=person.id, times=-1, **how))


def later(house: House, person: Person) -> int:
    """How many answers to this person are in the outbox."""
    found = house.stored(
        "SELECT count(*) FROM notices WHERE kind = 'answer' AND user_id = ? AND settled_at IS NULL", person.id
    )
    return int(found[0][0])


@pytest.mark.parametrize(("kind", "how"), [("429", {"retry_after": 300}), ("502", {}), ("cut_before", {})])
async def test_one_who_must_wait_keeps_nobody_waiting(house: House, kind: str, how: dict[str, int]) -> None:
    alice, _ = await house.asked()
    bob = await house.settled("Bob")
    await fault_for(house, alice, kind, **how)
    await alice.says("Not to be lost.")
    for _ in range(MANY):
        await bob.says("/help")
    await house.telegram.until(lambda: len(told(bob, HELP)) == MANY, seconds=60)
    assert len(told(bob, HELP)) == MANY
    await house.telegram.confirmed()
    assert told(alice, "Kept.") == []
    assert await house.lines(alice) == ["Not to be lost."]


async def test_several_who_must_wait_keep_nobody_waiting(house: House) -> None:
    """From the outside that looks like a 429 for all."""
    held = [(await house.asked(f"Held {number}"))[0] for number in range(5)]
    bob = await house.settled("Bob")
    for person in held:
        await fault_for(house, person, "429", retry_after=300)
    for person in held:
        await person.says("Not to be lost.")
    await house.until(lambda: all(later(house, person) for person in held), "their answers wait")
    for _ in range(MANY):
        await bob.says("/help")
    await house.telegram.until(lambda: len(told(bob, HELP)) == MANY, seconds=15)
    assert len(told(bob, HELP)) == MANY
    await house.telegram.confirmed()


async def test_a_429_for_all_is_waited_out_and_everybody_answered(house: House) -> None:
    people = [await house.settled(f"One {number}") for number in range(12)]
    called = len(house.telegram.calls())
    house.telegram.world.faults.add(Fault("sendMessage", "429", times=-1, retry_after=8))
    for person in people:
        await person.says("/help")
    await asyncio.sleep(7)
    tried = len(house.telegram.calls("sendMessage", since=called))
    assert tried <= len(people) + 4, "those that were under way, and a few that were tried"
    await house.telegram.no_faults()
    for person in people:
        await person.hears(HELP, seconds=30)
    assert [told(person, HELP) for person in people] == [[HELP]] * len(people)


@pytest.mark.parametrize(("kind", "how"), [("429", {"retry_after": 5}), ("502", {}), ("404", {})])
async def test_late_answers_come_each_once_and_in_order(house: House, kind: str, how: dict[str, int]) -> None:
    alice, _ = await house.asked()
    await fault_for(house, alice, kind, **how)
    await alice.says("Not to be lost.")
    await alice.says("Something else.")
    await alice.says("/help")
    await house.until(lambda: later(house, alice) == 3, "all three answers wait")
    await house.telegram.no_faults()
    await house.telegram.until(lambda: bool(told(alice, HELP)), seconds=30)
    await alice.says("/privacy")
    await alice.hears("What is stored.")
    in_order = ("Kept.", "There is a line for today already", HELP, "What is stored.")
    assert told(alice, *in_order) == list(in_order)
    assert later(house, alice) == 0


@pytest.mark.parametrize(("kind", "how"), [("429", {"retry_after": 6}), ("502", {})])
async def test_what_is_said_behind_late_answers_is_answered_behind_them(
    house: House, kind: str, how: dict[str, int]
) -> None:
    alice, _ = await house.asked()
    await fault_for(house, alice, kind, **how)
    await alice.says("Not to be lost.")
    await house.until(lambda: later(house, alice) == 1, "the answer waits")
    await house.telegram.no_faults()
    await alice.says("/help")
    await alice.says("/privacy")
    await alice.hears("What is stored.", seconds=30)
    assert told(alice, "Kept.", HELP, "What is stored.") == ["Kept.", HELP, "What is stored."]


async def test_an_answer_is_late_in_a_pause_too(house: House) -> None:
    alice = await house.settled()
    await alice.says("/pause")
    await alice.taps("Until I say so")
    await alice.hears("Paused")
    await fault_for(house, alice, "502")
    await alice.says("/help")
    await house.until(lambda: later(house, alice) == 1, "the answer waits")
    await house.telegram.no_faults()
    await alice.hears(HELP)


async def test_a_tap_is_answered_later_by_a_message(house: House) -> None:
    alice, asked = await house.asked()
    await fault_for(house, alice, "502")
    await alice.taps("Not today")
    await house.until(lambda: later(house, alice) == 1, "the answer waits")
    await house.telegram.no_faults()
    skipped = await alice.hears("Fine, not today.")
    assert skipped.message_id != asked.message_id
    await alice.taps("Bring it back", skipped)
    await alice.waits_for(is_question)


async def test_a_question_that_comes_later_finds_its_answer_and_comes_twice_at_the_most(house: House) -> None:
    alice = await house.settled()
    await fault_for(house, alice, "502")
    await alice.says("/today")
    await house.until(lambda: later(house, alice) == 1, "the question waits")
    await house.telegram.no_faults()
    house.telegram.world.faults.add(Fault("sendMessage", "cut_after", chat_id=alice.id, times=-1))
    await house.until(lambda: later(house, alice) == 0, "the question was put")
    await house.telegram.no_faults()
    assert len(questions(alice)) == 2
    await alice.says("Its answer.", reply_to=questions(alice)[0])
    await alice.hears("Kept.")


async def test_somebody_who_has_not_agreed_is_answered_too(house: House) -> None:
    stranger, bob = house.newcomer("Stranger"), await house.settled("Bob")
    await fault_for(house, stranger, "429", retry_after=5)
    await stranger.says("/start")
    await stranger.says("hello?")
    for _ in range(MANY):
        await bob.says("/help")
    await house.telegram.until(lambda: len(told(bob, HELP)) == MANY, seconds=60)
    assert len(told(bob, HELP)) == MANY
    await house.telegram.no_faults()
    await house.telegram.until(lambda: len([seen for seen in stranger.sees if seen.by_bot]) == 2, seconds=20)
    assert [seen.labels[:1] for seen in stranger.sees if seen.by_bot] == [["I'm 18 or older, and I agree"]] * 2
    assert not house.remembers(stranger)


async def test_of_what_waits_in_memory_the_order_is_kept(house: House) -> None:
    stranger = house.newcomer("Stranger")
    await fault_for(house, stranger, "502")
    said = len(house.bot.output)
    await stranger.says("/help")
    await house.until(lambda: house.bot.output[said:].count("answer.waits") >= 5, "the answer waits")
    await stranger.says("/support")
    await house.telegram.confirmed()
    await house.telegram.no_faults()
    await stranger.says("/privacy")
    await stranger.hears("What is stored.", seconds=30)
    in_order = [HELP, "Nobody reads along here", "What is stored."]
    assert told(stranger, *in_order) == in_order


async def test_a_place_that_was_typed_is_answered_later_too(house: House) -> None:
    """What was typed is kept nowhere, so the outbox could not say which place it is."""
    alice = await house.consenting()
    await alice.says("20:30")
    await alice.hears("What time is it for you now?")
    await fault_for(house, alice, "502")
    said = len(house.bot.output)
    await alice.says("Lisbon")
    await house.until(lambda: house.bot.output[said:].count("answer.waits") >= 4, "the answer waits")
    await house.telegram.no_faults()
    await alice.hears("Lisbon, Portugal", seconds=30)


async def test_a_group_that_must_wait_keeps_nobody_waiting(house: House) -> None:
    bob = await house.settled("Bob")
    house.telegram.world.faults.add(Fault("sendMessage", "429", retry_after=5, times=1))
    group = await house.telegram.group(bob)
    for _ in range(MANY):
        await bob.says("/help")
    await house.telegram.until(lambda: len(told(bob, HELP)) == MANY, seconds=60)
    assert len(told(bob, HELP)) == MANY
    await house.telegram.until(lambda: group.bot_left, seconds=20)
    assert group.bot_left


async def test_killed_while_answers_wait_it_gives_them_after_the_start(house_of_its_own: Make) -> None:
    async with house_of_its_own() as house:
        alice, _ = await house.asked()
        await fault_for(house, alice, "502")
        await alice.says("Not to be lost.")
        await alice.says("/help")
        await house.until(lambda: later(house, alice) == 2, "both answers wait")
        await house.telegram.confirmed()
        await house.bot.kill()
        await house.telegram.no_faults()
        await house.starts()
        await alice.hears(HELP, seconds=40)
        assert told(alice, "Kept.", HELP) == ["Kept.", HELP]
        assert await house.lines(alice) == ["Not to be lost."]


async def test_killed_before_it_is_confirmed_it_is_answered_once_all_the_same(house_of_its_own: Make) -> None:
    async with house_of_its_own() as house:
        alice, _ = await house.asked()
        await fault_for(house, alice, "502")
        await alice.says("Not to be lost.")
        await house.until(lambda: "answer.waits" in house.bot.output, "the answer waits")
        house.telegram.world.faults.add(Fault("getUpdates", "502", times=-1))
        await house.until(lambda: later(house, alice) == 1, "it waits in the outbox")
        await house.bot.kill()
        assert house.telegram.pending, "the update comes again"
        await house.telegram.no_faults()
        await house.starts()
        await alice.hears("Kept.", seconds=40)
        await alice.says("/help")
        await alice.hears(HELP)
        assert told(alice, "Kept.", HELP) == ["Kept.", HELP]


async def test_a_stop_does_not_wait_for_ever_for_somebody_who_has_not_agreed(house_of_its_own: Make) -> None:
    async with house_of_its_own() as house:
        stranger = house.newcomer("Stranger")
        await fault_for(house, stranger, "429", retry_after=300)
        await stranger.says("/start")
        await stranger.says("hello?")
        await house.telegram.confirmed()
        assert await house.bot.stop(seconds=10) == 0
        assert "answers.dropped" in house.bot.output
        await house.telegram.no_faults()
        await house.starts()
        await stranger.says("/start")
        await stranger.hears("one small question a day")


async def test_who_goes_while_an_answer_waits_is_not_remembered_by_it(house: House) -> None:
    alice, _ = await house.asked()
    await fault_for(house, alice, "502")
    await alice.says("Not to be lost.")
    await house.until(lambda: later(house, alice) == 1, "the answer waits")
    await house.telegram.no_faults()
    await alice.says("/erase")
    await alice.taps("Erase everything", seconds=40)
    await house.until(lambda: not house.remembers(alice), "nothing of her is there")
