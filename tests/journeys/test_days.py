"""Days pass: the question comes at its hour, is put off or missed, and never comes twice."""

from datetime import UTC, datetime

import pytest

from tests.journeys.conftest import Make
from tests.journeys.house import House, is_question, question_of, questions, until
from tests.standin import Person, Seen

pytestmark = pytest.mark.asyncio(loop_scope="module")

ONLY_YOU = "Kept, and shown to nobody."


@pytest.mark.parametrize(
    ("choice", "said", "hours"),
    [
        ("In an hour", "today at 10:", 1.1),
        ("Tonight", "today at 20:30", 11.6),
        ("Tomorrow morning", "tomorrow at ", 24),
    ],
)
async def test_later_repeats_the_question_once(house: House, choice: str, said: str, hours: float) -> None:
    alice, question = await house.asked(hour="23:00")
    await alice.taps("Later")
    await alice.hears("When should I ask again?")
    await alice.taps(choice)
    await alice.hears(f"I'll come back with it {said}")
    assert not questions(alice)
    again = await house.moves_on(alice, hours=hours)
    assert question_of(again) == question_of(question)
    await alice.says("Now I can.")
    await alice.hears(ONLY_YOU)
    assert len(questions(alice)) == 1


async def test_late_evening_offers_no_tonight(house: House) -> None:
    alice = await house.settled(hour="22:30")
    await house.moves_on(alice, hours=13, minutes=40)
    await alice.taps("Later")
    assert (await alice.hears("When should I ask again")).labels == ["In an hour", "Tomorrow morning", "Back"]


async def test_reply_answers_its_own_question(house: House) -> None:
    alice, monday = await house.asked()
    tuesday = await house.moves_on(alice, hours=35, minutes=31)
    assert tuesday.message_id != monday.message_id
    await alice.says("This is about Monday.", reply_to=monday)
    await alice.hears(ONLY_YOU)
    await alice.says("And this about Tuesday.")
    await alice.hears(ONLY_YOU)
    of_days = house.stored(
        "SELECT asks.day FROM lines JOIN asks ON asks.id = lines.ask_id WHERE lines.user_id = ? ORDER BY kept_at",
        alice.id,
    )
    assert of_days == [(day,) for day, _ in house.asks(alice)[:2]]
    assert await house.lines(alice) == ["This is about Monday.", "And this about Tuesday."]


async def test_midnight_answer_counts_for_the_evening(house: House) -> None:
    alice = await house.settled(hour="23:30")
    await house.moves_on(alice, hours=14, minutes=31)
    house.telegram.advance(hours=2)
    await alice.says("Still awake.")
    await alice.hears(ONLY_YOU)
    assert [state for _, state in house.asks(alice)] == ["answered"]


async def test_early_today_replaces_the_scheduled_question(house: House) -> None:
    alice, _ = await house.asked()
    house.telegram.advance(hours=12)
    await alice.says("/help")
    await alice.hears("One small question a day, one line back. It")
    assert len(questions(alice)) == 1
    assert len(house.asks(alice)) == 1


async def test_seven_days_bring_seven_questions(house: House) -> None:
    """It includes the night in which Lisbon's clocks go forward: the hour stays half past eight on the wall."""
    house.telegram.move_to(datetime(2027, 3, 25, 9, 0, tzinfo=UTC))
    alice = await house.settled()
    asked: list[Seen] = []
    for day in range(25, 32):
        house.telegram.move_to(datetime(2027, 3, day, 19 if day >= 28 else 20, 29, tzinfo=UTC))
        await alice.says("/help")
        await alice.hears("One small question a day, one line back. It")
        assert len(questions(alice)) == len(asked)
        asked.append(await house.moves_on(alice, minutes=1))
        await alice.says(f"Line of day {day}.")
        await alice.hears(ONLY_YOU)
    assert len({question_of(question) for question in asked}) == 7
    assert await house.lines(alice) == [f"Line of day {day}." for day in range(25, 32)]
    assert house.asks(alice) == [(f"2027-03-{day}", "answered") for day in range(25, 32)]


async def test_unanswered_days_pass_without_a_word(house: House) -> None:
    alice = await house.settled()
    await house.moves_on(alice, hours=11, minutes=31)
    await house.moves_on(alice, days=1)
    await house.moves_on(alice, days=1)
    assert [state for _, state in house.asks(alice)] == ["left", "left", "open"]
    assert (
        len([seen for seen in alice.sees if seen.by_bot and not is_question(seen)])
        == len([seen for seen in alice.sees if seen.by_bot]) - 3
    )


async def test_pause_piles_nothing_up(house: House) -> None:
    alice = await house.settled()
    await alice.says("/pause")
    await alice.taps("Until I say so")
    await alice.hears("Paused")
    bob = await house.settled("Bob")
    await house.moves_on(bob, hours=11, minutes=31)
    await house.moves_on(bob, days=1)
    assert not questions(alice)
    await alice.says("/resume")
    await alice.hears("Nothing has piled up. The next question comes")
    await house.moves_on(alice, days=1)
    assert len(questions(alice)) == 1
    await alice.says("/resume")
    await alice.hears("You weren't paused.")


async def test_today_works_in_a_pause(house: House) -> None:
    alice = await house.settled()
    await alice.says("/pause")
    await alice.taps("Until I say so")
    await alice.hears("Paused")
    await alice.says("/start")
    await alice.hears("You're paused.")
    await alice.says("/today")
    await alice.waits_for(is_question)
    await alice.says("In between.")
    await alice.hears(ONLY_YOU)


async def test_unblocking_the_bot_leaves_no_pile(house: House) -> None:
    alice, bob = await house.settled(), await house.settled("Bob")
    await alice.blocks()
    await house.moves_on(bob, hours=11, minutes=31)
    await house.moves_on(bob, days=1)
    await house.moves_on(bob, days=1)
    called = len(house.telegram.calls())
    await alice.unblocks()
    await alice.says("/start")
    await alice.hears("You're all set.")
    assert not questions(alice)
    assert len(house.telegram.calls("sendMessage", since=called)) == 1
    await house.moves_on(alice, bob, days=1)
    assert len(questions(alice)) == 1


async def test_unreported_block_ends_when_they_write(house: House) -> None:
    alice = await house.settled()
    house.expects("outbox", "answer")
    await house.telegram.fault("sendMessage", "403", chat_id=alice.id)
    house.telegram.advance(hours=11, minutes=31)
    await until(lambda: house.stored("SELECT 1 FROM users WHERE id = ? AND blocked_at > 0", alice.id), "blocked")
    assert not questions(alice)
    await alice.says("/help")
    await alice.hears("One small question a day, one line back. It")
    await house.moves_on(alice, days=1)
    assert len(questions(alice)) == 1


async def test_late_questions_come_once(house_of_its_own: Make) -> None:
    async with house_of_its_own() as house:
        dora = await house.settled("Dora", hour="10:00")
        await house.bot.stop()
        house.telegram.advance(hours=4)
        await house.starts()
        await dora.waits_for(is_question, what="a late question")
        await dora.says("Late, but here.")
        await dora.hears(ONLY_YOU)
        assert len(questions(dora)) == 1
        assert house.asks(dora) == [("2027-03-01", "answered")]
        await dora.blocks()

        alice = await house.settled(hour="10:00")
        bob = await house.settled("Bob", hour="18:00")
        carol = await house.settled("Carol", hour="21:00")
        for putting_off in (alice, carol):
            await putting_off.says("/today")
            await putting_off.taps("Later")
            await putting_off.taps("Tomorrow morning")
            await putting_off.hears("I'll come back with it")
        await house.bot.kill()
        called = len(house.telegram.calls())
        house.telegram.advance(days=2, hours=22)  # it is eleven on Thursday
        await house.starts()
        question = await alice.waits_for(is_question)
        await alice.says("Thursday's line.", reply_to=question)
        await alice.hears(ONLY_YOU)

        def states(person: Person) -> list[str]:
            return [state for _, state in house.asks(person)]

        await until(lambda: states(alice) == ["left", "missed", "missed", "answered"], "Alice's Thursday is late")
        await until(lambda: states(bob) == ["open", "missed", "missed"], "Bob's Thursday is yet to come")
        await until(lambda: states(carol) == ["left", "missed", "missed"], "Carol's Monday gives way")
        assert len(questions(alice)) == 1
        assert not questions(bob)
        assert not questions(carol)
        assert len(house.telegram.calls("sendMessage", since=called)) == 2


async def test_update_ids_may_restart_lower(house: House) -> None:
    alice = await house.settled()
    await house.caught_up()
    house.telegram.world.updates.last_id = 1_000
    house.telegram.world.updates.last_at = None
    for _ in range(2):
        await alice.says("/help")
        await alice.hears("One small question a day, one line back. It")
    await house.caught_up()


async def test_moved_clock_asks_no_date_twice(house: House) -> None:
    alice, bob = await house.settled(), await house.settled("Bob")
    await house.moves_on(alice, bob, hours=11, minutes=40)
    house.telegram.advance(hours=-2)
    await alice.says("/help")
    await alice.hears("One small question a day, one line back. It")
    house.telegram.advance(hours=2)
    await house.moves_on(bob, days=1)
    await until(lambda: len(questions(alice)) == 2, "a question a day")
    assert len({day for day, _ in house.asks(alice)}) == 2
