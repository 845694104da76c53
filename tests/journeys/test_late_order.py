"""Late answers come once each, in order, even after a kill, and none is lost."""

from datetime import timedelta

import pytest

from bot.demo.faults import Fault
from tests.journeys.conftest import Make
from tests.journeys.house import House, is_question, questions, until
from tests.journeys.late import HELP, fault_for, fetched, later, told

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(("kind", "how"), [("429", {"retry_after": 5}), ("502", {}), ("404", {})])
async def test_late_answers_come_once_in_order(house: House, kind: str, how: dict[str, int]) -> None:
    alice, _ = await house.asked()
    await fault_for(house, alice, kind, **how)
    await alice.says("Not to be lost.")
    await alice.says("Something else.")
    await alice.says("/help")
    await until(lambda: later(house, alice) == 3, "all three answers wait")
    await house.telegram.no_faults()
    await house.telegram.until(lambda: bool(told(alice, HELP)), seconds=30)
    await alice.says("/privacy")
    await alice.hears("What is stored.")
    in_order = ("Kept, and", "There is a line to this question already", HELP, "What is stored.")
    assert told(alice, *in_order) == list(in_order)
    await until(lambda: later(house, alice) == 0, "nothing is left to be said")


@pytest.mark.parametrize(("kind", "how"), [("429", {"retry_after": 6}), ("502", {})])
async def test_later_messages_follow_late_answers(house: House, kind: str, how: dict[str, int]) -> None:
    alice, _ = await house.asked()
    await fault_for(house, alice, kind, **how)
    await alice.says("Not to be lost.")
    await until(lambda: later(house, alice) == 1, "the answer waits")
    await house.telegram.no_faults()
    await alice.says("/help")
    await alice.says("/privacy")
    await alice.hears("What is stored.", seconds=30)
    assert told(alice, "Kept, and", HELP, "What is stored.") == ["Kept, and", HELP, "What is stored."]


async def test_paused_user_gets_late_answers(house: House) -> None:
    alice = await house.settled()
    await alice.says("/pause")
    await alice.taps("Until I say so")
    await alice.hears("Paused")
    await fault_for(house, alice, "502")
    await alice.says("/help")
    await until(lambda: later(house, alice) == 1, "the answer waits")
    await house.telegram.no_faults()
    await alice.hears(HELP)


async def test_late_tap_gets_a_message(house: House) -> None:
    alice, asked = await house.asked()
    await fault_for(house, alice, "502")
    await alice.taps("Not today")
    await until(lambda: later(house, alice) == 1, "the answer waits")
    house.telegram.advance(timedelta(seconds=5))
    await house.telegram.no_faults()
    skipped = await alice.hears("All right, not today.")
    assert skipped.message_id != asked.message_id
    await alice.taps("Bring it back", skipped)
    await alice.waits_for(is_question)


async def test_late_question_comes_at_most_twice(house: House) -> None:
    alice = await house.settled()
    await fault_for(house, alice, "502")
    await alice.says("/today")
    await until(lambda: later(house, alice) == 1, "the question waits")
    await house.telegram.no_faults()
    house.telegram.world.faults.add(Fault("sendMessage", "cut_after", chat_id=alice.id, times=-1))
    await until(lambda: not house.stored("SELECT 1 FROM notices WHERE kind = 'answer'"), "the question was put")
    await house.telegram.no_faults()
    assert len(questions(alice)) == 2
    await alice.says("Its answer.", reply_to=questions(alice)[0])
    await alice.hears("Kept, and")


async def test_waiting_answers_keep_their_order(house: House) -> None:
    stranger = house.newcomer("Stranger")
    await fault_for(house, stranger, "502")
    called = len(house.telegram.calls())
    await stranger.says("/help")
    await house.telegram.until(lambda: len(house.telegram.calls("sendMessage", since=called)) > 1)
    await stranger.says("/support")
    await fetched(house, "/support", since=called)
    await house.telegram.no_faults()
    await stranger.says("/privacy")
    await stranger.hears("What is stored.", seconds=30)
    in_order = [HELP, "Nobody reads this chat", "What is stored."]
    assert told(stranger, *in_order) == in_order


async def test_typed_place_is_answered_late_too(house: House) -> None:
    """The typed text stays in its sealed row until then."""
    alice = await house.consenting()
    await alice.says("20:30")
    await alice.hears("What time is it for you now?")
    await fault_for(house, alice, "502")
    called = len(house.telegram.calls())
    await alice.says("Lisbon")
    await house.telegram.until(lambda: len(house.telegram.calls("sendMessage", since=called)) > 1)
    await house.telegram.no_faults()
    await alice.hears("Lisbon, Portugal", seconds=30)


async def test_waiting_answers_come_after_a_kill(house_of_its_own: Make) -> None:
    async with house_of_its_own() as house:
        alice, _ = await house.asked()
        await fault_for(house, alice, "502")
        await alice.says("Not to be lost.")
        await alice.says("/help")
        await until(lambda: later(house, alice) == 2, "both answers wait")
        await house.telegram.confirmed()
        await house.bot.kill()
        await house.telegram.no_faults()
        await alice.says("/privacy")
        await house.starts()
        await alice.hears("What is stored.", seconds=40)
        assert told(alice, "Kept, and", HELP, "What is stored.") == ["Kept, and", HELP, "What is stored."]
        assert await house.lines(alice) == ["Not to be lost."]


async def test_killed_before_confirming_it_answers_once(house_of_its_own: Make) -> None:
    async with house_of_its_own() as house:
        alice, _ = await house.asked()
        await fault_for(house, alice, "502")
        house.telegram.world.faults.add(Fault("getUpdates", "502", times=-1))  # all but the call that is under way
        await alice.says("Not to be lost.")
        await until(lambda: later(house, alice) == 1, "the answer waits")
        await house.bot.kill()
        assert house.telegram.pending, "the update comes again"
        await house.telegram.no_faults()
        await house.starts()
        await alice.hears("Kept, and", seconds=40)
        await alice.says("/help")
        await alice.hears(HELP)
        assert told(alice, "Kept, and", HELP) == ["Kept, and", HELP]


@pytest.mark.parametrize("first", ["/help", "Lisbon"])
async def test_memory_and_outbox_keep_their_order(house: House, first: str) -> None:
    alice = await house.consenting()
    await alice.says("20:30")
    await alice.hears("What time is it for you now?")
    await fault_for(house, alice, "502")
    second = {"/help": "Lisbon", "Lisbon": "/help"}[first]
    called = len(house.telegram.calls())
    await alice.says(first)
    await house.telegram.until(lambda: len(house.telegram.calls("sendMessage", since=called)) > 1)
    await alice.says(second)
    await fetched(house, second, since=called)
    await house.telegram.no_faults()
    await house.telegram.until(lambda: len(told(alice, HELP, "Lisbon, Portugal")) == 2, seconds=40)
    in_order = [HELP, "Lisbon, Portugal"]
    assert told(alice, HELP, "Lisbon, Portugal") == (in_order if first == "/help" else in_order[::-1])


async def test_broken_connections_lose_no_answer(house: House) -> None:
    people = [await house.settled(f"One {number}") for number in range(6)]
    house.telegram.world.faults.add(Fault("sendMessage", "cut_before", times=-1))
    for person in people:
        await person.says("/help")
    await until(lambda: all(later(house, person) for person in people), "their answers wait in the outbox")
    await house.telegram.no_faults()
    for person in people:
        await person.hears(HELP, seconds=30)


async def test_late_answer_stops_the_spinner(house: House) -> None:
    alice, asked = await house.asked()
    house.expects("telegram.request")
    house.telegram.world.faults.add(Fault("sendMessage", "502", chat_id=alice.id, times=-1))
    await alice.says("/help")
    await until(lambda: later(house, alice) == 1, "the answer waits")
    await alice.taps("Not today", asked)
    assert await alice.answered() == ""
    house.telegram.advance(timedelta(seconds=5))
    await house.telegram.no_faults()
    await alice.hears("All right, not today.", seconds=40)
    assert told(alice, HELP, "All right, not today.") == [HELP, "All right, not today."]


async def test_killed_bot_repeats_a_question_once(house_of_its_own: Make) -> None:
    async with house_of_its_own() as house:
        alice = await house.settled()
        house.telegram.world.faults.add(Fault("sendMessage", "cut_after", chat_id=alice.id, times=-1))
        await alice.says("/today")
        for copy in (1, 2):
            await until(lambda copy=copy: len(questions(alice)) == copy, "it has arrived")
            await house.bot.kill()
            await house.starts()
        await house.telegram.no_faults()
        await house.caught_up()
        assert len(questions(alice)) == 2
        await alice.says("Its answer.", reply_to=questions(alice)[1])
        await alice.hears("Kept, and")


async def test_late_answer_forgets_an_erased_user(house: House) -> None:
    alice, _ = await house.asked()
    await fault_for(house, alice, "502")
    await alice.says("Not to be lost.")
    await until(lambda: later(house, alice) == 1, "the answer waits")
    await house.telegram.no_faults()
    await alice.says("/erase")
    await alice.taps("Erase everything", seconds=40)
    await until(lambda: not house.remembers(alice), "nothing of her is there")
