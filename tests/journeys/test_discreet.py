"""Leaving no trace: discreet mode, /hide, and messages without a sound."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import pytest

from tests.journeys.house import AGREE, House, is_question, question_of, until
from tests.journeys.two import paired, shares, tells
from tests.standin import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORDS = "I sat in the car for a while."
SHOWN_FOR = timedelta(minutes=5)
UNDECIDED = "Something is undecided here."


async def turns_on(person: Person, setting: str) -> None:
    await person.says("/settings")
    await person.hears("Settings")
    await person.taps(setting)
    await person.taps("Turn it on")
    await person.hears("It is on.")


_BEING_HIDDEN = "SELECT 1 FROM notices WHERE kind = 'hide' AND owner IS NOT NULL AND settled_at IS NULL"


async def gone(person: Person, *texts: str) -> None:
    """Wait until none of these is anywhere in the chat. Raises AssertionError with what stays."""

    def there() -> list[str]:
        return [text for text in texts if any(text in seen.text for seen in person.sees)]

    await person._until(lambda: not there(), 20)
    assert not there(), "it stays in the chat"


async def shows_again(person: Person, text: str, question: str) -> None:
    """Have a question that became a neutral line asked again, with the text that it is about."""
    await person._until(lambda: any(UNDECIDED in seen.text for seen in person.sees), 20)
    await person.taps("Show it")
    asked = await person.hears(question)
    assert text in asked.text


async def opens(house: House, alice: Person, bob: Person) -> None:
    """Let Alice share a line, and Bob, who is in discreet mode, open it."""
    await shares(alice, WORDS)
    bob._acts()
    house.telegram.advance(minutes=15)
    await bob.hears("Something is here for you.")
    await bob.taps("Open")
    await bob.hears("In five minutes this message is removed")


async def test_kept_line_leaves_the_chat(house: House) -> None:
    alice, asked = await house.asked()
    await turns_on(alice, "Discreet mode")
    sent = await alice.says(WORDS)
    kept = await alice.hears("Kept, and shown to nobody.")
    assert "Hide this" in kept.labels
    assert alice.message(sent), "until its writer has seen the receipt"
    await house.caught_up()
    house.telegram.advance(seconds=3)
    await gone(alice, WORDS, question_of(asked))
    house.telegram.advance(SHOWN_FOR)
    await gone(alice, "Kept, and")
    assert await house.lines(alice) == [WORDS], "it is kept all the same"
    assert await alice.says("/words")
    words = await alice.hears("No words yet")
    await alice.taps("Hide this", words)
    await gone(alice, "No words yet")


async def test_noticed_line_and_own_word_leave_the_chat(house: House) -> None:
    alice, _ = await paired(house)
    await turns_on(alice, "Discreet mode")
    await alice.says("/noticed")
    await alice.hears("do or carry lately")
    await alice.says(WORDS)
    await alice.hears("Kept, and shown to nobody.")
    await alice.taps("Name the feeling")
    await alice.hears("Which comes close?")
    await alice.taps("No word fits")
    await alice.hears("a word of your own")
    word = await alice.says("unmoored")
    await alice.hears("Your word for it")
    await house.caught_up()
    house.telegram.advance(seconds=3)
    await gone(alice, WORDS)
    await alice._until(lambda: alice.message(word) is None, 20)
    assert alice.message(word) is None, "it stays in the chat"


async def test_undecided_text_goes_and_can_be_reached(house: House) -> None:
    alice, _ = await house.told("Once.")
    await turns_on(alice, "Discreet mode")
    await alice.says(WORDS)
    await alice.hears("There is a line to this question already")
    await house.caught_up()
    house.telegram.advance(SHOWN_FOR)
    await gone(alice, WORDS, "There is a line")
    await shows_again(alice, WORDS, "There is a line to this question already")
    await house.caught_up()
    house.telegram.advance(SHOWN_FOR)
    await gone(alice, WORDS, "There is a line")
    await shows_again(alice, WORDS, "There is a line to this question already")
    await alice.taps("Keep as another")
    await alice.hears("Kept, and shown to nobody.")
    await gone(alice, WORDS, UNDECIDED)
    assert await house.lines(alice) == ["Once.", WORDS]


async def test_card_that_cannot_be_changed_is_removed(
    house_of_its_own: Callable[..., AbstractAsyncContextManager[House]],
) -> None:
    """It may show the text, which has to go in any case."""
    async with house_of_its_own() as house:
        alice, _ = await house.told("Once.")
        await turns_on(alice, "Discreet mode")
        await alice.says(WORDS)
        await alice.hears("There is a line to this question already")
        await house.caught_up()
        house.telegram.advance(SHOWN_FOR)
        await gone(alice, WORDS)
        await shows_again(alice, WORDS, "There is a line to this question already")
        await house.caught_up()
        refusal = "Bad Request: message can't be edited"
        await house.telegram.fault("editMessageText", "400", description=refusal, chat_id=alice.id)
        house.telegram.advance(SHOWN_FOR)
        await gone(alice, WORDS, UNDECIDED)


async def test_undecided_text_goes_at_any_age(house: House) -> None:
    alice = await house.skipped()
    await turns_on(alice, "Discreet mode")
    sent = await alice.says(WORDS)
    await alice.hears("Keep this as a line for today?")
    await house.caught_up()
    house.telegram.advance(SHOWN_FOR)
    await gone(alice, WORDS)
    await alice._until(lambda: alice.message(sent) is None, 20)  # three days later it would be too old
    await until(lambda: not house.stored(_BEING_HIDDEN), "everything is removed")
    house.telegram.advance(days=3)
    await shows_again(alice, WORDS, "Keep this as a line for today?")
    await house.caught_up()
    house.telegram.advance(SHOWN_FOR)
    await gone(alice, WORDS, "Keep this")
    await alice.says("/hide")
    await alice.hears("Done.")
    await gone(alice, UNDECIDED)
    await alice.hears("Nothing is left here.")
    await alice.says("/today")
    await alice.taps("Something is undecided")
    await shows_again(alice, WORDS, "Keep this as a line for today?")


async def test_typed_name_can_be_reached(house: House) -> None:
    alice = await house.skipped()
    await turns_on(alice, "Discreet mode")
    await alice.says("/pair")
    await alice.hears("They will see you as")
    sent = await alice.says("Ally")
    await alice.hears("or is that your line?")
    await house.caught_up()
    house.telegram.advance(SHOWN_FOR)
    await gone(alice, "Ally")
    await shows_again(alice, "Ally", "or is that your line?")
    await alice.taps("My name")
    await alice.hears("Pass this link on")
    assert alice.message(sent) is None


async def test_previewed_answer_can_be_reached(house: House) -> None:
    alice, bob = await paired(house)
    await turns_on(bob, "Discreet mode")
    await opens(house, alice, bob)
    await bob.taps("Write one line back")
    await bob.hears("You see it once more before it goes")
    await bob.says("I heard you.")
    await bob.hears("would see this")
    await house.caught_up()
    house.telegram.advance(SHOWN_FOR)
    await gone(bob, "I heard you.", WORDS)
    await shows_again(bob, "I heard you.", "or keep it as your line?")
    await bob.taps("Send it…")
    await bob.hears("would see this")
    await bob.taps("Send it")
    await bob.hears("On its way.")
    await house.caught_up()
    house.telegram.advance(minutes=1)
    await alice.hears("I heard you.")
    house.telegram.advance(SHOWN_FOR)
    await gone(bob, "I heard you.", UNDECIDED)


async def test_previewed_answer_is_dropped_with_one_tap(house: House) -> None:
    alice, bob = await paired(house)
    await turns_on(bob, "Discreet mode")
    await opens(house, alice, bob)
    await bob.taps("Write one line back")
    await bob.hears("You see it once more before it goes")
    await bob.says("I heard you.")
    await bob.hears("would see this")
    await bob.taps("Don't send it")
    await bob.hears("Not sent, and not kept.")
    await house.caught_up()
    house.telegram.advance(seconds=3)
    await gone(bob, "I heard you.")
    house.telegram.advance(SHOWN_FOR)
    await gone(bob, WORDS, UNDECIDED)


async def test_words_under_photos_go_too(house: House) -> None:
    alice, _ = await house.asked()
    await turns_on(alice, "Discreet mode")
    await alice.sends("photo", caption=WORDS)
    await alice.hears("text only")
    await house.caught_up()
    house.telegram.advance(SHOWN_FOR)
    await gone(alice, WORDS)


async def test_what_comes_by_itself_is_covered(house: House) -> None:
    alice = await house.skipped()
    await turns_on(alice, "Discreet mode")
    await turns_on(alice, "Without sound")
    alice._acts()
    house.telegram.advance(hours=36)
    asked = await alice.hears("Something is here for you.")
    (question,) = asked.spoilers()
    assert question in asked.text
    assert asked.text.replace(question, "").strip() == "Something is here for you."
    call = [each for each in house.telegram.calls() if each["method"] == "sendMessage"][-1]
    assert call["params"]["disable_notification"]


async def test_hide_clears_what_can_be_cleared(house: House) -> None:
    alice, _ = await house.told(WORDS)
    old = {seen.message_id for seen in alice.sees}
    house.telegram.advance(hours=49)
    await alice.says("/help")
    await alice.hears("Nothing here keeps score.")
    await alice.says("/hide")
    done = await alice.hears("Done.")
    assert "two days" in done.text
    await gone(alice, "/hide")
    left = {seen.message_id for seen in alice.sees} - {done.message_id}
    assert left
    assert left <= old, "only what is too old for a bot to delete"
    await house.caught_up()
    house.telegram.advance(minutes=1)
    await gone(alice, "Done.")
    assert not house.refused()


async def test_hide_leaves_no_sign_of_what_is_undecided(house: House) -> None:
    alice, _ = await paired(house)
    await tells(alice, WORDS)
    await turns_on(alice, "Discreet mode")
    await alice.says("/share")
    await alice.taps("1")
    await alice.hears("would see these words")
    await alice.taps("Word it differently")
    await alice.hears("Send me the words for")
    await alice.says("I needed a minute.")
    await alice.hears("would see these words")
    await alice.taps("Just listen")
    await alice.hears("First only this")
    await alice.says("One more.")
    await alice.hears("There is a line to this question already")
    await house.caught_up()
    house.telegram.advance(SHOWN_FOR)
    await gone(alice, "I needed a minute.", "One more.")
    assert sum(UNDECIDED in seen.text for seen in alice.sees) == len(("the preview", "the text"))
    await alice.says("/hide")
    done = await alice.hears("Done.")
    await gone(alice, UNDECIDED, "/hide")
    await house.caught_up()
    house.telegram.advance(minutes=1)
    await gone(alice, "Done.")
    assert "behind /today" in done.text
    assert [seen.text for seen in alice.sees] == ["/start"], "the bot knew nothing of this chat yet"
    for words, question, leave in (
        ("One more.", "There is a line to this question already", "Don't keep it"),
        ("I needed a minute.", "would see these words", "Keep it private"),
    ):
        await alice.says("/today")
        await alice.taps("Something is undecided")
        await shows_again(alice, words, question)
        await alice.taps(leave)
    await alice.hears("It stays with you.")
    await alice.says("/today")
    await alice.hears("You have kept a line today.")
    assert "Something is undecided" not in alice.last.labels


async def test_what_hide_takes_during_the_start_can_be_had(house: House) -> None:
    alice = house.newcomer("Alice")
    await alice.says("/start")
    await alice.taps(AGREE)
    await alice.waits_for(is_question, what="the first question")
    await alice.says("Once.")
    await alice.hears("When should I ask tomorrow?")
    await alice.says(WORDS)
    await alice.hears("There is a line to this question already")
    await alice.says("/hide")
    await alice.hears("behind /today")
    await gone(alice, WORDS)
    await alice.says("/today")
    await alice.taps("Something is undecided")
    await shows_again(alice, WORDS, "There is a line to this question already")


async def test_exported_files_go_after_an_hour(house: House) -> None:
    alice, _ = await house.told(WORDS)
    await turns_on(alice, "Discreet mode")
    await alice.says("/export")
    await alice.hears("from this chat after an hour")
    page, data = await alice.hears("To read and to print"), await alice.hears("The same for a program")
    exporting = "SELECT 1 FROM notices WHERE kind = 'export' AND settled_at IS NULL"
    await until(lambda: not house.stored(exporting), "it is noted when both files go")
    house.telegram.advance(minutes=50)
    await house.caught_up()
    assert alice.message(page.message_id)
    house.telegram.advance(minutes=11)
    await gone(alice, page.text, data.text)


async def test_hide_works_before_anything_is_stored(house: House) -> None:
    nobody = house.newcomer("Nobody")
    await nobody.says("/start")
    await nobody.hears("One small question")
    await nobody.says("/hide")
    await nobody.hears("Done.")
    await house.forgets(nobody)


async def test_removal_outlives_the_bot(house: House) -> None:
    alice, _ = await house.asked()
    await turns_on(alice, "Discreet mode")
    await alice.says(WORDS)
    await alice.hears("Kept, and shown to nobody.")
    await house.caught_up()
    await house.bot.kill()
    house.telegram.advance(SHOWN_FOR)
    await house.starts()
    await gone(alice, WORDS, "Kept, and")


async def test_opened_words_go_and_tell_so(house: House) -> None:
    alice, bob = await paired(house)
    await shares(alice, WORDS)
    await turns_on(bob, "Discreet mode")
    bob._acts()
    house.telegram.advance(minutes=15)
    announced = await bob.hears("Something is here for you.")
    assert "Alice" in announced.spoilers()[0], "whose it is, only a tap shows"
    await bob.taps("Open")
    opened = await bob.hears("In five minutes this message is removed")
    assert WORDS in opened.text
    await house.caught_up()
    house.telegram.advance(SHOWN_FOR)
    await gone(bob, WORDS, "Something is here for you.")
    assert any(WORDS in seen.text for seen in alice.sees), "nothing is different for who shared it"


async def test_erase_removes_what_was_to_go(house: House) -> None:
    """What is older than two days stays: no bot can delete it, and it isn't tried."""
    alice = await house.skipped()
    await turns_on(alice, "Discreet mode")
    await alice.says("Old.")
    old = await alice.hears("Keep this as a line for today?")
    await house.caught_up()
    house.telegram.advance(SHOWN_FOR)
    await gone(alice, "Old.", "Keep this")
    house.telegram.advance(days=3)
    await alice.says("New.")
    await alice.hears("Keep this as a line for today?")
    await alice.taps("Keep it")
    await alice.hears("Kept, and shown to nobody.")
    await alice.says(WORDS)
    await alice.hears("Keep this as a line for today?")
    command = await alice.says("/erase")
    await alice.taps("Erase everything")
    await alice.hears("I know nothing of you any more")
    await gone(alice, "New.", "Kept, and", WORDS, "Keep this")
    assert alice.message(command) is None
    assert alice.message(old.message_id), "too old"
    await house.forgets(alice)
