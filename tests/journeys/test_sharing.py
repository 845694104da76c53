"""Sharing and receiving, over HTTP, with two phones: the whole story with every turn, and what must not be told."""

from datetime import timedelta
from typing import Any

import pytest

from tests.journeys.house import House, until
from tests.journeys.two import answers, paired, sends, shares, tells
from tests.standin import Person, Seen

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORDS = "I sat in the car for ten minutes before I could come in."
ANNOUNCED = "Alice\u2069 left you a line. For a quiet minute."


async def test_one_line_from_preview_to_answer(house: House) -> None:
    alice, bob = await paired(house)
    set_ = await shares(alice, WORDS)
    assert WORDS in set_.text
    bob._acts()
    house.telegram.advance(minutes=15)
    announced = await bob.hears(ANNOUNCED)
    assert WORDS not in announced.text
    assert announced.labels == ["Open", "Later", "Not now"]
    await bob.taps("Open")
    opened = await bob.hears("just listen")
    assert opened.protected
    assert opened.spoilers()[-1:] == [WORDS]
    alice._acts()
    await answers(bob, house, "Thank you for telling me")
    heard = await alice.hears("Thank you for telling me")
    assert heard.protected
    await alice.taps("Not really")
    badly = await alice.hears("Thank you for saying so.")
    assert "/unpair" not in badly.text, "a clumsy answer is no reason to speak of an end"
    await alice.taps("It worries me")
    await alice.hears("/support")


async def test_cue_matches_the_preview(house: House) -> None:
    alice, bob = await paired(house)
    await tells(alice, WORDS)
    await alice.taps("Share…")
    await alice.taps("Just listen")
    (first,) = (await alice.hears("First only this")).marked("italic")
    await alice.taps(next(label for label in alice.last.labels if label.startswith("In 15 minutes")))
    await alice.taps("Change", await alice.hears("Set for"))
    shown = await alice.hears("Your wish: just listen.")
    assert shown.text.endswith("With it goes this hint: " + first)
    await alice.taps("How it's received")
    await alice.taps("Advice is welcome")
    shown = await alice.hears("Your wish: advice is welcome.")
    hint = shown.text.rpartition("With it goes this hint: ")[2]
    assert hint != first
    bob._acts()
    house.telegram.advance(minutes=15)
    await bob.taps("Open")
    opened = await bob.hears("would welcome your advice")
    assert opened.marked("italic") == [hint]


async def test_typed_day_leads_to_its_hours(house: House) -> None:
    alice, bob = await paired(house)
    await tells(alice, "For a certain day.")
    await alice.taps("Share…")
    await alice.taps("Just listen")
    await alice.taps("Another time…")
    await alice.says("tomorrow")
    hours = await alice.waits_for(lambda seen: "20:00" in seen.labels, what="the hours of that day")
    assert not house.stored("SELECT 1 FROM reflections WHERE user_id = ? AND due_at IS NOT NULL", alice.id)
    await alice.taps("20:00", hours)
    await alice.hears("tomorrow at 20:00")
    assert not any("left you a line" in seen.text for seen in bob.new)


async def test_taken_back_before_it_is_opened(house: House) -> None:
    alice, bob = await paired(house)
    await shares(alice, WORDS)
    bob._acts()
    house.telegram.advance(minutes=15)
    await bob.hears(ANNOUNCED)
    await alice.taps("Take it back")
    await alice.hears("hasn't seen the words")
    await bob.taps("Open")
    gone = await bob.hears("has taken this one back")
    assert gone.labels == []
    await bob.says("/waiting")
    await bob.hears("Nothing is waiting for you.")
    assert not any(WORDS in seen.text for seen in bob.sees)


async def _three_at_once(house: House) -> tuple[Person, Person, Seen]:
    """Alice has shared three lines and taken the last one back after Bob got the announcement, which is returned."""
    alice, bob = await paired(house)
    await shares(alice, "The first.")
    for words in ("The second.", "The third."):
        await alice.says(words)
        await alice.taps("Keep as another")
        await alice.taps("Share…", await alice.hears("Kept"))
        await alice.taps("Just listen", await alice.hears("would see these words"))
        await alice.hears("First only this")
        await alice.taps(next(label for label in alice.last.labels if label.startswith("In 15 minutes")))
        set_ = await alice.hears("Set for")
    bob._acts()
    house.telegram.advance(minutes=15)
    announced = await bob.hears("left you 3 lines. For a quiet minute.")
    await alice.taps("Take it back", set_)
    await alice.hears("hasn't seen the words")
    return alice, bob, announced


async def test_several_lines_are_one_message(house: House) -> None:
    _, bob, announced = await _three_at_once(house)
    assert announced.labels == ["Open 1", "Open 2", "Open 3", "All later", "None now"]
    assert len([seen for seen in bob.sees if "left you" in seen.text]) == 1
    opened = []
    for label in announced.labels[:3]:
        await bob.taps(label, announced)
        said = await bob.waits_for(lambda seen: "just listen" in seen.text or "taken this one back" in seen.text)
        opened += said.spoilers()[-1:]  # before the words stands the question they answer
    assert sorted(opened) == ["The first.", "The second."]


async def test_several_lines_are_put_off_together(house: House) -> None:
    _, bob, announced = await _three_at_once(house)
    await bob.taps("All later", announced)
    await bob.hears("When should I bring it up again?")
    await bob.says("tomorrow at 9:30")
    await bob.hears("bring them up again tomorrow at 09:30")
    bob._acts()
    house.telegram.advance(hours=24, minutes=15)
    await bob.hears("left you 2 lines")
    await bob.taps("None now")
    closed = await bob.hears("They stay closed until you want them")
    assert closed.labels == ["Show them again"]
    await bob.taps("Show them again")
    again = await bob.hears("left you 2 lines")
    assert again.labels == ["Open 1", "Open 2", "All later", "None now"]
    await bob.taps("Open 2")
    await bob.hears("just listen")
    await bob.says("/waiting")
    assert len((await bob.hears("still closed")).labels) == 1


async def test_opened_line_stays(house: House) -> None:
    alice, bob = await paired(house)
    await shares(alice, WORDS)
    bob._acts()
    alice._acts()
    house.telegram.advance(minutes=15)
    await bob.taps("Open")
    await bob.hears("just listen")
    assert alice.new == []
    await alice.taps("Change")
    shown = await alice.hears("Its time has come")
    assert shown.labels == ["Take it back"]
    await alice.taps("Take it back")
    await alice.hears("This one has been opened")


async def test_list_shows_each_lines_state(house: House) -> None:
    """It uses the sharer's own clock and names the answer; that a line was opened changes no letter of it."""
    alice, bob = await paired(house)
    await shares(alice, "The first of them.", when="In 15 minutes")
    house.telegram.advance(minutes=15)
    await bob.hears("left you a line")

    async def listed() -> list[str]:
        await alice.says("/share")
        seen = await alice.hears("The first of them.")
        return [*seen.text.splitlines()[:2], seen.labels[0]]

    before = await listed()
    assert before[0].startswith("Was set for today at ")
    await bob.taps("Open")
    await bob.hears("just listen")
    assert await listed() == before
    alice._acts()
    await answers(bob, house, "I read this")
    assert "has read this.\n\nDid that land all right?" in (await alice.hears("has read this.")).text
    answered = await listed()
    assert answered == [before[0].replace("Was set for ", "Answered (") + ")", *before[1:]]
    await alice.taps(before[2])
    seen = await alice.hears("has read this.")
    assert "Take it back" not in seen.labels


async def test_other_words_leave_the_line_unchanged(house: House) -> None:
    alice, bob = await paired(house)
    await shares(alice, WORDS)
    await alice.taps("Change")
    await alice.taps("Word it differently")
    await alice.hears("Send me the words")
    await alice.says('Coming home is hard <b>some</b> days & "nights" 🙂 שלום')
    await alice.hears("would see these words instead")
    await alice.taps("Use these words")
    await alice.hears("Reworded.")
    bob._acts()
    house.telegram.advance(minutes=16)
    await bob.taps("Open")
    opened = await bob.hears("just listen")
    assert opened.spoilers()[-1:] == ['Coming home is hard <b>some</b> days & "nights" 🙂 שלום']
    assert await house.lines(alice) == [WORDS]


STRANGE = (
    '<b>&"</b> &amp; <tg-spoiler>no</tg-spoiler>',
    "\u202eback to front, and never turned again",
    "שלום, it was a long day",
    "👨\u200d👩\u200d👧 🏳\ufe0f\u200d🌈 🇵🇹 👍🏽",
)


@pytest.mark.parametrize("words", STRANGE)
async def test_spoiler_keeps_strange_words(house: House, words: str) -> None:
    alice, bob = await paired(house)
    assert words in (await shares(alice, words)).text
    bob._acts()
    house.telegram.advance(minutes=15)
    await bob.taps("Open")
    opened = await bob.hears("just listen")
    assert opened.spoilers()[-1:] == [words]
    assert opened.text.split("\n").count(words) == 1, "a turned direction ends with its line"
    alice._acts()
    await bob.taps("Write one line back")
    await bob.hears("One line to")
    await bob.says(words)
    assert words in (await bob.hears("would see this")).text
    await sends(bob, house)
    assert (await alice.hears("writes back")).text.split("\n").count(words) == 2


async def test_later_not_now_and_waiting(house: House) -> None:
    alice, bob = await paired(house)
    await shares(alice, WORDS)
    bob._acts()
    house.telegram.advance(minutes=15)
    await bob.hears(ANNOUNCED)
    await bob.taps("Later")
    await bob.taps("Tonight")
    await bob.hears("bring it up again today at 20:30")
    house.telegram.advance(hours=11.5)
    again = await bob.waits_for(lambda seen: "left you a line" in seen.text and "Not now" in seen.labels)
    await bob.taps("Not now", again)
    await bob.hears("nobody is told")
    await bob.says("/waiting")
    waiting = await bob.hears("still closed")
    alice._acts()
    await bob.taps(waiting.labels[0], waiting)
    opened = await bob.hears("just listen")
    assert opened.spoilers()[-1:] == [WORDS]
    assert alice.new == []


async def test_line_back_is_sent_once(house: House) -> None:
    alice, bob = await paired(house)
    await shares(alice, WORDS, wish="Advice is welcome")
    bob._acts()
    house.telegram.advance(minutes=15)
    await bob.taps("Open")
    await bob.hears("would welcome your advice")
    await bob.taps("Write one line back")
    await bob.hears("One line to")
    await bob.says("x" * 301)
    await bob.hears("301 characters")
    await bob.says("Ring me from the car next time.")
    await bob.hears("would see this")
    alice._acts()
    await sends(bob, house)
    heard = await alice.hears("writes back")
    assert "Ring me from the car next time." in heard.text
    await bob.taps("I read this")
    assert await bob.answered() == "You have answered this one already."


async def test_end_takes_everything_unopened(house: House) -> None:
    alice, bob = await paired(house)
    await shares(alice, WORDS)
    bob._acts()
    house.telegram.advance(minutes=15)
    await bob.hears(ANNOUNCED)
    await alice.says("/unpair")
    bob._acts()
    await alice.taps("End it now")
    await alice.hears("Sharing has ended.")
    assert bob.new == []
    await bob.taps("Open")
    await bob.hears("Sharing has ended.")
    assert not any(WORDS in seen.text for seen in bob.sees)
    assert house.stored("SELECT DISTINCT state FROM reflections WHERE user_id = ?", alice.id) == [("cancelled",)]


async def test_single_users_line_keeps_its_buttons(house: House) -> None:
    alice, _ = await paired(house)
    kept = await tells(alice, WORDS)
    await alice.says("/unpair")
    await alice.taps("End it now")
    await alice.hears("Sharing has ended.")
    await alice.taps("Share…", kept)
    await alice.hears("There is nobody you share with.")
    still = alice.message(kept.message_id)
    assert still
    assert {"Change", "Delete"} <= set(still.labels)


async def test_sharer_sees_no_block_or_pause(house: House) -> None:
    alice, bob = await paired(house)
    await bob.blocks()
    await house.caught_up()
    said = (await shares(alice, WORDS)).text
    assert "Set for" in said
    alice._acts()
    house.telegram.advance(minutes=20)
    await alice.taps("Change")
    await alice.hears("Its time has come")
    await bob.unblocks()
    await bob.hears(ANNOUNCED)


async def test_fourteen_hours_apart_avoid_night(house: House) -> None:
    """Tokyo and New York, in the night in which New York's clocks change: neither sees the other's clock."""
    night = house.telegram.now.replace(month=3, day=14, hour=6, minute=30)  # 01:30 in New York, an hour that lasts
    house.telegram.move_to(night - timedelta(hours=7, minutes=30))
    alice, bob = await paired(house, alice={"city": "Tokyo"}, bob={"city": "New York City"})
    house.telegram.move_to(night)
    said = await shares(alice, WORDS)
    assert "today at 15:4" in said.text
    bob._acts()
    house.telegram.move_to(night + timedelta(hours=4, minutes=29))  # 06:59, in summer time by now
    assert not any("left you a line" in seen.text for seen in bob.new)
    house.telegram.move_to(night + timedelta(hours=4, minutes=30, seconds=1))
    await bob.hears(ANNOUNCED)


@pytest.mark.parametrize("moment", ["before", "slow", "after"])
async def test_killed_while_it_is_announced(house_of_its_own: Any, moment: str) -> None:
    """SIGKILL comes around the sending of an announcement: it arrives, at most twice, and opens once."""
    async with house_of_its_own() as house:
        alice, bob = await paired(house)
        await shares(alice, WORDS)
        bob._acts()
        if moment == "slow":
            await house.telegram.fault("sendMessage", "slow", chat_id=bob.id, seconds=5)
        if moment != "before":
            house.telegram.advance(minutes=15)
        if moment == "after":
            await bob.hears(ANNOUNCED)
        elif moment == "slow":
            await until(lambda: _state(house, alice.id) == "announced", "announced")
        await house.bot.kill()
        await house.telegram.no_faults()
        if moment == "before":
            house.telegram.advance(minutes=15)
        await house.bot.start()
        announced = await bob.hears(ANNOUNCED, seconds=20)
        await bob.taps("Open", announced)
        opened = await bob.hears("just listen")
        assert opened.spoilers()[-1:] == [WORDS]
        assert 1 <= sum("left you a line" in seen.text for seen in bob.sees) <= 2
        assert sum(WORDS in seen.text for seen in bob.sees) == 1
        assert _state(house, alice.id) == "opened"


def _state(house: House, user_id: int) -> str:
    ((state,),) = house.stored("SELECT state FROM reflections WHERE user_id = ?", user_id)
    return str(state)
