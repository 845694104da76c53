"""What waits for a decision in discreet mode: it goes from the chat, and can be had again."""

import pytest

from tests.journeys.house import House
from tests.journeys.test_discreet import SHOWN_FOR, UNDECIDED, WORDS, gone, opens, turns_on
from tests.journeys.test_ritual import MORNING, agreed
from tests.journeys.two import answers, paired, shares, tells
from tests.journeys.two import opens as opens_line
from tests.standin import Person, Seen

pytestmark = pytest.mark.asyncio(loop_scope="module")

OTHER = "I was quiet, and glad to be home."
LONG = "A long day. " * 30


async def comes_back(house: House, person: Person, went: str, question: str) -> Seen:
    """Let five minutes pass, in which what was asked goes, and have it asked again."""
    await house.caught_up()
    house.telegram.advance(SHOWN_FOR)
    await gone(person, went)
    await person._until(lambda: any(UNDECIDED in seen.text for seen in person.sees), 20)
    assert sum(UNDECIDED in seen.text for seen in person.sees) == 1
    await person.taps("Show it")
    asked = await person.hears(question)
    assert went in asked.text
    return asked


async def test_preview_comes_back_with_other_words(house: House) -> None:
    alice, _ = await paired(house)
    await tells(alice, WORDS)
    await turns_on(alice, "Discreet mode")
    await alice.says("/share")
    await alice.taps("1")
    await alice.hears("would see these words")
    await alice.taps("Word it differently")
    await alice.hears("Send me the words for")
    await alice.says(OTHER)
    await alice.hears("would see these words")
    await comes_back(house, alice, OTHER, "would see these words")
    await alice.taps("Just listen")
    await alice.hears("First only this")
    await comes_back(house, alice, OTHER, "would see these words")
    await alice.taps("Keep it private")
    await alice.hears("It stays with you.")
    await house.caught_up()
    house.telegram.advance(SHOWN_FOR)
    await gone(alice, OTHER, UNDECIDED)


async def test_other_words_for_what_is_set_come_back(house: House) -> None:
    alice, _ = await paired(house)
    await shares(alice, WORDS, when="Tomorrow morning")
    await turns_on(alice, "Discreet mode")
    await alice.says("/share")
    listed = await alice.hears("Which one would you like to share?")
    await alice.taps(listed.labels[0], listed)
    await alice.taps("Word it differently")
    await alice.hears("Send me the words for")
    await alice.says(OTHER)
    await alice.hears("would see these words instead")
    await comes_back(house, alice, OTHER, "would see these words instead")
    await alice.taps("Use these words")
    await alice.hears("Reworded.")
    await house.caught_up()
    house.telegram.advance(SHOWN_FOR)
    await gone(alice, OTHER, UNDECIDED)


async def test_too_long_text_comes_back(house: House) -> None:
    alice, _ = await paired(house)
    await turns_on(alice, "Discreet mode")
    await alice.says("/noticed")
    await alice.hears("do or carry lately")
    sent = await alice.says(LONG)
    await alice.hears("Shorten it and send it once more")
    await house.caught_up()
    house.telegram.advance(SHOWN_FOR)
    await gone(alice, "Shorten it")
    await alice._until(lambda: alice.message(sent) is None, 20)
    await alice.taps("Show it")
    assert "A long day." in (await alice.hears("characters; a line has up to 300")).text
    await alice.says("You carried the shopping.")
    await alice.hears("Kept, and shown to nobody.")
    await gone(alice, "A long day.", UNDECIDED)
    assert await house.lines(alice) == ["You carried the shopping."]
    await alice.says("/today")
    await alice.waits_for(lambda seen: "Not today" in seen.labels, what="a question")
    assert "Something is undecided" not in alice.buttons


async def test_button_says_that_a_long_text_is_cut(house: House) -> None:
    alice, _ = await paired(house)
    await turns_on(alice, "Discreet mode")
    await alice.says("/noticed")
    await alice.hears("do or carry lately")
    await alice.says(LONG)
    await alice.hears("Shorten it and send it once more")
    await alice.taps("Keep the first 300 as my line")
    await alice.hears("Kept, and shown to nobody.")
    assert await house.lines(alice) == [LONG[:300].strip()]


async def test_answer_that_is_written_again_is_forgotten(house: House) -> None:
    """Once the new one is there, and not before: it isn't lost if its writer thinks better of it."""
    alice, bob = await paired(house)
    await turns_on(bob, "Discreet mode")
    await opens(house, alice, bob)
    await bob.taps("Write one line back")
    await bob.hears("You see it once more before it goes")
    await bob.says("Fine.")
    await bob.hears("would see this")
    await bob.taps("Write it again")
    await bob.hears("You see it once more before it goes")
    await house.caught_up()
    house.telegram.advance(SHOWN_FOR)
    await gone(bob, "Fine.", "would see this")
    assert any(UNDECIDED in seen.text for seen in bob.sees)
    await bob.says("I heard you.")
    await bob.hears("would see this")
    await gone(bob, UNDECIDED)
    await bob.taps("Send it")
    await bob.hears("On its way.")
    await bob.says("/today")
    await bob.waits_for(lambda seen: "Not today" in seen.labels, what="a question")
    assert "Something is undecided" not in bob.last.labels
    house.telegram.advance(minutes=1)
    await alice.hears("I heard you.")


async def test_undone_answer_comes_back(house: House) -> None:
    alice, bob = await paired(house)
    await turns_on(bob, "Discreet mode")
    await opens(house, alice, bob)
    await bob.taps("Thank you for telling me")
    await bob.hears("would see this")
    await bob.taps("Send it")
    await bob.hears("On its way.")
    await bob.taps("Undo")
    await bob.hears("would see this")
    await comes_back(house, bob, "Thank you for telling me", "would see this")
    await bob.taps("Send it")
    await bob.hears("On its way.")
    await house.caught_up()
    house.telegram.advance(minutes=1)
    await alice.hears("Thank you for telling me")


async def test_follow_up_comes_back(house: House) -> None:
    alice, bob = await paired(house)
    await shares(alice, WORDS, wish="Ask me about it later")
    await opens_line(bob, house, "ask")
    await bob.taps("A question for another day…")
    await answers(bob, house, "What was the hardest part?")
    alice._acts()
    await alice.hears("What was the hardest part?")
    await turns_on(alice, "Discreet mode")
    await alice.taps("Answer")
    await alice.hears("One line to")
    await alice.says(OTHER)
    await alice.hears("would see this")
    await comes_back(house, alice, OTHER, "would see this")
    await alice.taps("Send it")
    await alice.hears("On its way.")
    await house.caught_up()
    house.telegram.advance(SHOWN_FOR)
    await gone(alice, OTHER, UNDECIDED)


async def test_line_for_the_ritual_comes_back(house: House) -> None:
    alice, _ = await agreed(house)
    await alice.hears(MORNING)
    await turns_on(alice, "Discreet mode")
    await alice.says("/ritual")
    await alice.taps("Put something in")
    await alice.hears(MORNING)
    await alice.taps("A new one")
    await alice.hears("Write it in one line.")
    await alice.says(OTHER)
    await alice.hears("would see these words")
    await comes_back(house, alice, OTHER, "would see these words")
    await alice.taps("Not this one")
    await alice.hears("Nothing of yours is in")


async def test_today_leads_to_what_is_undecided(house: House) -> None:
    """The message that asks about it may have been removed by its reader."""
    alice, _ = await house.told("Once.")
    await alice.says(WORDS)
    await alice.deletes(await alice.hears("There is a line to this question already"))
    await alice.says("/today")
    await alice.taps("Something is undecided")
    await alice.hears(UNDECIDED)
    await alice.taps("Show it")
    assert WORDS in (await alice.hears("There is a line to this question already")).text
    await alice.taps("Don't keep it")
    await alice.hears("Not kept.")
    await alice.says("/today")
    await alice.hears("You have kept a line today.")
    assert "Something is undecided" not in alice.last.labels


async def test_today_says_nothing_of_what_ended_with_the_pair(house: House) -> None:
    alice, bob = await paired(house)
    await shares(alice, WORDS)
    await opens_line(bob, house, WORDS)
    await bob.taps("Thank you for telling me")
    await bob.hears("would see this")
    await bob.says("/today")
    await bob.waits_for(lambda seen: "Something is undecided" in seen.labels, what="the button")
    await bob.says("/unpair")
    await bob.taps("End it now")
    await bob.hears("Sharing has ended")
    await bob.says("/today")
    await bob.waits_for(lambda seen: "Not today" in seen.labels, what="a question")
    assert "Something is undecided" not in bob.last.labels


async def test_unpairing_removes_the_neutral_line(house: House) -> None:
    alice, _ = await paired(house)
    await tells(alice, WORDS)
    await turns_on(alice, "Discreet mode")
    await alice.says("/share")
    await alice.taps("1")
    await alice.hears("would see these words")
    await house.caught_up()
    house.telegram.advance(SHOWN_FOR)
    await alice._until(lambda: any(UNDECIDED in seen.text for seen in alice.sees), 20)
    await alice.says("/unpair")
    await alice.taps("End it now")
    await gone(alice, UNDECIDED)


async def test_partner_who_leaves_changes_nothing_here(house: House) -> None:
    """Else the neutral line would tell that they have left."""
    alice, bob = await paired(house)
    await turns_on(bob, "Discreet mode")
    await opens(house, alice, bob)
    await bob.taps("Thank you for telling me")
    await bob.hears("would see this")
    await alice.says("/erase")
    await alice.taps("Erase everything")
    await alice.hears("I know nothing of you any more")
    await house.caught_up()
    house.telegram.advance(SHOWN_FOR)
    await bob._until(lambda: any(UNDECIDED in seen.text for seen in bob.sees), 20)
