"""Answering an opened line as people do it: choosing, finishing a beginning, undoing, asking, and being answered."""

import pytest

from tests.journeys.house import House
from tests.journeys.two import answers, opens, paired, sends, shares, tells

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORDS = "I sat in the car for ten minutes before I could come in."
LISTEN = [
    "I read this", "Thank you for telling me", "That makes sense to me", "Write one line back",
    "We'll talk about it ourselves",
]  # fmt: skip
STEMS = ["What I heard was …", "I'm with you in …", "Have you thought of …", "What I'd try: …"]


@pytest.mark.parametrize(
    ("wish", "cue", "offered", "stems"),
    [
        ("Just listen", "just listen", LISTEN, STEMS[:2]),
        ("Ask me about it later", "ask about it later", [*LISTEN[:-1], "A question for another day…"], STEMS[:2]),
        ("Advice is welcome", "would welcome your advice", LISTEN, [STEMS[0], *STEMS[2:]]),
    ],
)
async def test_wish_decides_what_is_offered(
    house: House, wish: str, cue: str, offered: list[str], stems: list[str]
) -> None:
    alice, bob = await paired(house)
    await shares(alice, WORDS, wish=wish)
    opened = await opens(bob, house, cue)
    assert opened.labels == offered
    await bob.taps("Write one line back")
    assert (await bob.hears("take a beginning:")).labels == stems


async def test_beginning_is_finished_previewed_and_sent(house: House) -> None:
    alice, bob = await paired(house)
    await shares(alice, WORDS)
    await opens(bob, house)
    await bob.taps("Write one line back")
    await bob.taps("What I heard was …")
    await bob.hears("Send me the end of it.")
    await bob.says("that home was one more shift.")
    preview = await bob.hears("would see this:")
    assert preview.marked("blockquote") == ["What I heard was that home was one more shift."]
    alice._acts()
    await sends(bob, house)
    heard = await alice.hears("writes back")
    assert heard.marked("blockquote")[-1] == "What I heard was that home was one more shift."


async def test_undone_answer_never_arrives(house: House) -> None:
    alice, bob = await paired(house)
    await shares(alice, WORDS)
    await opens(bob, house)
    alice._acts()
    await bob.taps("That makes sense to me")
    await bob.hears("would see this:")
    await bob.taps("Send it")
    await bob.hears("On its way.")
    await bob.taps("Undo")
    await bob.hears("would see this:")
    house.telegram.advance(minutes=5)
    await house.caught_up()
    assert not alice.new
    await bob.taps("Don't send it")
    await bob.hears("Not sent")
    await answers(bob, house, "Thank you for telling me")
    heard = await alice.hears("says:")
    assert heard.marked("blockquote")[-1] == "Thank you for telling me"
    await bob.taps("Undo")
    late = await bob.hears("It has gone out already.")
    assert not late.labels
    assert "Undo" not in bob.buttons


async def test_question_is_answered_in_one_line(house: House) -> None:
    alice, bob = await paired(house)
    await shares(alice, WORDS, wish="Ask me about it later")
    await opens(bob, house, "ask about it later")
    await bob.taps("A question for another day…")
    await bob.hears("One question is plenty.")
    alice._acts()
    await answers(bob, house, "What was the hardest part?")
    await alice.hears("asks:")
    bob._acts()
    await alice.taps("Answer")
    await alice.hears("One line to")
    await alice.says("The key in the door.")
    await alice.hears("would see this:")
    bob._acts()
    await sends(alice, house)
    heard = await bob.hears("answers your question:")
    assert heard.protected
    assert heard.marked("blockquote") == ["The key in the door."]
    assert not heard.labels, "one line each way"
    await alice.taps("Answer")
    assert await alice.answered() == "You have answered this one already."


async def test_question_is_kept_for_later(house: House) -> None:
    alice, bob = await paired(house)
    await shares(alice, WORDS, wish="Ask me about it later")
    await opens(bob, house, "ask about it later")
    alice._acts()
    await bob.taps("A question for another day…")
    await bob.taps("What was the hardest part?")
    await bob.hears("would see this:")
    await bob.taps("Keep it, to ask in person")
    await bob.hears("Kept for you.")
    kept_on = house.telegram.now.date()
    house.telegram.advance(days=1, hours=9)
    reminder = await bob.hears("about a line that you had opened")
    assert f"On {kept_on:%A, %B} {kept_on.day} you kept a question" in reminder.text
    assert reminder.marked("blockquote") == ["What was the hardest part?"]
    assert not any("asks" in seen.text for seen in alice.new)


async def test_earlier_versions_button_still_works(house: House) -> None:
    """Under *just listen* there was once a question; who taps it sees first what it would say."""
    alice, bob = await paired(house)
    await shares(alice, WORDS)
    opened = await opens(bob, house)
    about = opened.markup["inline_keyboard"][0][0]["callback_data"].rpartition(".")[2]
    alice._acts()
    await bob.taps_data(opened, f"v1:respond:know.{about}")
    await bob.hears("would see this:")
    await sends(bob, house)
    assert (await alice.hears("asks:")).marked("blockquote")[-1] == "What would you like me to know?"


async def test_question_goes_along_unless_removed(house: House) -> None:
    alice, bob = await paired(house)
    await tells(alice, WORDS)
    await alice.taps("Share…")
    preview = await alice.hears("would see these words")
    (asked,) = preview.marked("bold")
    assert sum(asked in seen.text for seen in alice.sees) == 2, "it is what Alice was asked"
    await alice.taps("Without the question")
    assert (await alice.hears("would see these words")).marked("bold") == []
    await alice.taps("With the question")
    await alice.hears("would see these words")
    await alice.taps("Just listen")
    assert asked in (await alice.hears("First only this")).marked("bold")
    await alice.taps(next(label for label in alice.last.labels if label.startswith("In 15")))
    await alice.hears("Set for")
    opened = await opens(bob, house)
    assert opened.spoilers() == [asked, WORDS]


async def test_line_without_its_question_arrives_without(house: House) -> None:
    alice, bob = await paired(house)
    await shares(alice, WORDS)
    await alice.taps("Change")
    await alice.taps("Without the question")
    await alice.waits_for(lambda seen: "With the question" in seen.labels)
    opened = await opens(bob, house)
    assert opened.spoilers() == [WORDS]
