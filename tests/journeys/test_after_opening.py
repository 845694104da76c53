"""After a line was opened the bot asks if a text is for the partner or for oneself; it never decides."""

from datetime import timedelta

import pytest

from tests.journeys.house import House, is_question, until
from tests.journeys.two import answers, opens, paired, sends, shares
from tests.standin import Person, Seen

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORDS = "I sat in the car for ten minutes before I could come in."
FOR_WHOM = "Send this to \u2068Alice\u2069, or keep it as your line?"


async def opened(house: House) -> tuple[Person, Person, Seen]:
    """Return Alice, Bob who has just opened a line of hers, and the message that shows it."""
    alice, bob = await paired(house)
    await shares(alice, WORDS)
    words = await opens(bob, house)
    alice._acts()
    return alice, bob, words


async def test_text_after_opening_needs_a_yes(house: House) -> None:
    alice, bob, _ = await opened(house)
    await bob.says("I wondered where you were.")
    asked = await bob.hears(FOR_WHOM)
    assert asked.labels == ["Send it…", "Keep it as my line", "Neither"]
    assert await house.lines(bob) == []
    await bob.taps("Send it…")
    preview = await bob.hears("would see this:")
    assert preview.marked("blockquote") == ["I wondered where you were."]
    assert not alice.new
    await sends(bob, house)
    heard = await alice.hears("writes back")
    assert heard.marked("blockquote")[-1] == "I wondered where you were."
    assert await house.lines(bob) == []
    assert house.stored("SELECT 1 FROM drafts WHERE user_id = ?", bob.id) == []


async def test_text_during_a_question_is_queried(house: House) -> None:
    alice, bob, _ = await opened(house)
    await bob.says("/today")
    question = await bob.waits_for(is_question)
    await bob.says("Something about the car, too.")
    await bob.hears(FOR_WHOM)
    assert await house.lines(bob) == []
    await bob.taps("Keep it as my line")
    await bob.hears("Kept, and")
    assert await house.lines(bob) == ["Something about the car, too."]
    ((state,),) = house.stored("SELECT state FROM asks WHERE user_id = ?", bob.id)
    assert state == "answered", "it was the answer to the question that was open"
    assert not alice.new
    await until(lambda: not (bob.message(question.message_id) or question).labels, "its buttons are gone")


async def test_reply_answers_the_question(house: House) -> None:
    _, bob, _ = await opened(house)
    await bob.says("/today")
    question = await bob.waits_for(is_question)
    await bob.says("To the question.", reply_to=question)
    await bob.hears("Kept, and")


async def test_later_only_replies_are_queried(house: House) -> None:
    _, bob, words = await opened(house)
    await bob.says("/today")
    await bob.taps("Not today")
    await bob.hears("All right, not today.")
    house.telegram.advance(timedelta(hours=1, minutes=1))
    await bob.says("Just a thought.")
    await bob.hears("Keep this as a line for today?")
    house.telegram.advance(timedelta(days=5))
    await bob.says("I still think of it.", reply_to=words)
    await bob.hears(FOR_WHOM)
    await bob.taps("Neither")
    await bob.hears("Not sent, and not kept.")
    assert await house.lines(bob) == []


async def test_unsent_text_can_still_be_kept(house: House) -> None:
    alice, bob, _ = await opened(house)
    await bob.says("On second thought.")
    await bob.hears(FOR_WHOM)
    await bob.taps("Send it…")
    await bob.hears("would see this:")
    await bob.taps("Don't send it")
    await bob.hears(FOR_WHOM)
    await bob.taps("Keep it as my line")
    await bob.hears("Kept, and")
    assert await house.lines(bob) == ["On second thought."]
    assert not alice.new


async def test_edit_replaces_the_old_preview(house: House) -> None:
    alice, bob, _ = await opened(house)
    typed = await bob.says("I wonderd.")
    await bob.hears(FOR_WHOM)
    await bob.taps("Send it…")
    preview = await bob.hears("would see this:")
    send = preview.markup["inline_keyboard"][0][0]["callback_data"]
    await bob.edits(typed, "I wondered.")
    await bob.hears(FOR_WHOM)
    await bob.taps_data(preview, send)
    await bob.hears("That is over, and nothing has changed.")
    assert not alice.new
    await bob.taps("Send it…")
    assert (await bob.hears("would see this:")).marked("blockquote") == ["I wondered."]


async def test_long_text_is_kept_or_shortened(house: House) -> None:
    alice, bob, words = await opened(house)
    await bob.says("z" * 301, reply_to=words)
    await bob.hears(FOR_WHOM)
    await bob.taps("Send it…")
    long = await bob.hears("That's 301 characters, and 300 fit.")
    assert long.labels == ["Keep it as my line"]
    await bob.says("Shorter.", reply_to=words)
    await bob.hears("would see this:")  # a line back is awaited, and a reply to the words is exactly that
    await bob.taps("Keep it as my line")
    await bob.hears("That's 301 characters; a line has up to 300.")
    assert not alice.new


async def test_only_one_answer_to_a_line(house: House) -> None:
    _, bob, words = await opened(house)
    await bob.says("I wondered where you were.")
    await bob.hears(FOR_WHOM)
    await answers(bob, house, "Thank you for telling me")
    await bob.taps("Send it…")
    assert await bob.answered() == "You have answered this one already."
    await bob.taps("Keep it as my line")
    await bob.hears("Kept, and")
    await bob.says("And another thing.", reply_to=words)
    answered = await bob.hears("You have answered this line already")
    assert answered.labels == ["Keep it as my line", "Don't keep it"]
    await bob.says("A text of its own.")
    await bob.hears("You have answered this line already")
    house.telegram.advance(hours=1)
    await bob.says("Another one.")
    await bob.hears("There is a line to this question already")


@pytest.mark.parametrize("emoji", ["❤", "👍", "🙏"])
async def test_reaction_is_offered_to_be_sent(house: House, emoji: str) -> None:
    alice, bob, words = await opened(house)
    await bob.reacts(words, emoji)
    offered = await bob.hears(f"Send {emoji} to \u2068Alice\u2069, as your answer?")
    assert not alice.new
    await bob.taps("Send it", offered)
    await bob.hears("On its way.")
    house.telegram.advance(seconds=31)
    assert (await alice.hears("writes back")).marked("blockquote")[-1] == emoji
    await bob.reacts(words, "👍" if emoji != "👍" else "❤")
    await bob.hears("You have answered this one already.")


async def test_reaction_can_be_changed_and_removed(house: House) -> None:
    alice, bob, words = await opened(house)
    await bob.reacts(words, "❤")
    first = await bob.hears("Send ❤ to")
    await bob.reacts(words, "👍")
    second = await bob.hears("Send 👍 to")
    await until(lambda: not (bob.message(first.message_id) or first).labels, "its buttons are gone")
    await bob.reacts(words, "")
    await until(lambda: not (bob.message(second.message_id) or second).labels, "its buttons are gone")
    assert house.stored("SELECT 1 FROM drafts WHERE user_id = ?", bob.id) == []
    for emoji, message in (("😢", words), ("❤", first)):
        await bob.reacts(message, emoji)
    await house.caught_up()
    assert not bob.new
    assert not alice.new


@pytest.mark.parametrize("how", ["/unpair", "/erase"])
async def test_text_survives_the_sharers_leaving(house: House, how: str) -> None:
    """Bob hears of the end only on reaching for sharing, and his text is still there."""
    alice, bob, words = await opened(house)
    await alice.says(how)
    await alice.taps("End it now" if how == "/unpair" else "Erase everything")
    await alice.hears("Sharing has ended." if how == "/unpair" else "gone")
    name = "\u2068Alice\u2069" if how == "/unpair" else "your partner"
    await bob.says("I wondered where you were.")
    asked = await bob.hears(f"Send this to {name}, or keep it as your line?")
    await bob.reacts(words, "❤")
    await bob.hears("Send ❤ to")
    await bob.taps("Send it…", asked)
    await bob.hears("Sharing has ended.")
    await bob.taps("Keep it as my line", asked)
    await bob.hears("Kept, and")
    assert await house.lines(bob) == ["I wondered where you were."]
    await bob.says("Who have I told this?", reply_to=words)
    await bob.hears("Keep this as a line for today?")
