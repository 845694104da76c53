"""The question and its answer: kept, moved, swapped, skipped, changed, deleted."""

import pytest

from bot.demo.media import KINDS
from tests.journeys.house import CONTENT, QUESTIONS, House, is_question, question_of, questions
from tests.standin import Person, Seen

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODES = ("webhook",)
ONLY_YOU = "Kept, and shown to nobody."
BUTTONS = [["Another one", "Something lighter"], ["How others put it"], ["Later", "Not today"]]
THEMES = {prompt.text: prompt.theme for prompt in CONTENT.prompts.values()}


async def test_next_text_is_the_line(house: House) -> None:
    alice, question = await house.asked()
    assert question.buttons == BUTTONS
    await alice.says("The dog waited at the door.")
    kept = await alice.hears(ONLY_YOU)
    assert {"Change", "Delete"} <= set(kept.labels)
    assert await house.lines(alice) == ["The dog waited at the door."]
    assert house.asks(alice) == [(house.telegram.now.date().isoformat(), "answered")]


async def test_early_today_names_the_next_question(house: House) -> None:
    alice = await house.settled()
    await alice.taps("Yes, one now")
    question = await alice.waits_for(is_question)
    assert question.text.endswith("\n\nThis is the one for today. The next comes tomorrow at 20:30.")
    house.telegram.advance(hours=12)  # that hour passes without a question
    bob = await house.settled("Bob", hour="9:00")
    await bob.says("/today")
    assert is_question(await bob.waits_for(lambda seen: seen.text in QUESTIONS)), "nothing was moved by that"
    assert len(questions(alice)) == 1


async def test_snooze_after_the_answer_says_so(house: House) -> None:
    alice, _ = await house.told()
    await alice.says("/snooze")
    await alice.hears("You have kept a line today. The next question comes tomorrow at 20:30.")


async def test_another_question_comes_from_another_theme(house: House) -> None:
    alice, first = await house.asked()
    await alice.taps("Another one")
    second = await alice.waits_for(is_question)
    assert (second.message_id, second.buttons) == (first.message_id, BUTTONS)
    assert THEMES[question_of(second)] != THEMES[question_of(first)]
    await alice.says("This one I can answer.")
    await alice.hears(ONLY_YOU)
    (prompt_id,) = await house.prompts(alice, "lines")
    assert CONTENT.prompts[prompt_id].text == question_of(second)


async def test_something_lighter_always_works(house: House) -> None:
    alice, first = await house.asked()
    for _ in range(3):
        before = alice.last.text
        await alice.taps("Something lighter")
        lighter = await alice.waits_for(is_question)
        assert lighter.message_id == first.message_id
        assert lighter.text != before
    assert len(questions(alice)) == 1


async def test_examples_come_and_go_in_place(house: House) -> None:
    """Nothing is stored of it, and nobody has to see them."""
    alice, question = await house.asked()
    prompt = next(prompt for prompt in CONTENT.prompts.values() if prompt.text == question_of(question))
    assert not any(example in question.text for example in prompt.examples)
    before = house.stored("SELECT * FROM asks"), house.stored("SELECT * FROM shown_prompts")
    await alice.taps("How others put it")
    shown = await alice.waits_for(lambda seen: "Somebody might write:" in seen.text)
    assert shown.message_id == question.message_id
    assert shown.text.startswith(prompt.text)
    assert all(example in shown.text for example in prompt.examples)
    await alice.taps("Just the question")
    back = await alice.waits_for(is_question)
    assert (back.message_id, back.text, back.buttons) == (question.message_id, prompt.text, BUTTONS)
    assert (house.stored("SELECT * FROM asks"), house.stored("SELECT * FROM shown_prompts")) == before
    await alice.taps("How others put it")
    await alice.waits_for(lambda seen: "Somebody might write:" in seen.text)
    await alice.taps("Another one")
    other = await alice.waits_for(is_question)
    assert other.buttons == BUTTONS
    assert "Somebody might write:" not in other.text, "never before it is tapped"
    await alice.says("My own way.")
    await alice.hears(ONLY_YOU)


async def test_later_can_be_undone(house: House) -> None:
    alice, question = await house.asked()
    await alice.taps("Later")
    await alice.taps("Back")
    assert question_of(await alice.waits_for(is_question)) == question_of(question)
    await alice.taps("Later")
    await alice.taps("Tonight")
    await alice.taps("Show it now")
    assert question_of(await alice.waits_for(is_question)) == question_of(question)
    house.telegram.advance(hours=10)
    await alice.says("Not now, it is there already.")
    await alice.hears(ONLY_YOU)
    assert len(questions(alice)) == 1


async def test_early_answer_ends_the_snooze(house: House) -> None:
    alice, _ = await house.asked(hour="23:00")
    await alice.taps("Later")
    await alice.taps("In an hour")
    await alice.hears("I'll come back")
    await alice.says("I know it already.")
    await alice.hears(ONLY_YOU)
    house.telegram.advance(hours=2)
    await alice.says("/today")
    await alice.hears("You have kept a line today.")
    assert not questions(alice)


async def test_not_today_can_be_undone(house: House) -> None:
    alice, question = await house.asked()
    await alice.taps("Not today")
    skipped = await alice.hears("All right, not today. The next one comes tomorrow at 20:30.")
    assert skipped.message_id == question.message_id
    await alice.taps("Bring it back")
    assert question_of(await alice.waits_for(is_question)) == question_of(question)
    await alice.says("After all.")
    await alice.hears(ONLY_YOU)


async def test_text_after_skipping_is_queried(house: House) -> None:
    alice, _ = await house.asked()
    await alice.taps("Not today")
    await alice.hears("All right, not today.")
    await alice.says("A thought of its own.")
    await alice.hears("Keep this as a line for today?")
    assert await house.lines(alice) == []
    await alice.taps("Keep it")
    await alice.hears(ONLY_YOU)
    assert await house.lines(alice) == ["A thought of its own."]


async def test_any_reply_answers_the_open_question(house: House) -> None:
    alice, _ = await house.asked()
    await alice.says("/help")
    help_ = await alice.hears("One small question a day, one line back. It")
    await alice.says("Said under the help.", reply_to=help_)
    await alice.hears(ONLY_YOU)


async def test_editing_the_message_changes_the_line(house: House) -> None:
    alice, _ = await house.told("The dog wated.")
    (message,) = [seen for seen in alice.sees if seen.text == "The dog wated."]
    await alice.edits(message, "The dog waited.")
    changed = await alice.hears("Changed, and shown to nobody.")
    assert changed.reply_to == message.message_id
    assert await house.lines(alice) == ["The dog waited."]


async def test_editing_beyond_the_limit_asks(house: House) -> None:
    alice, _ = await house.told("short")
    (message,) = [seen for seen in alice.sees if seen.text == "short"]
    await alice.edits(message, "y" * 301)
    await alice.hears("That's 301 characters")
    assert await house.lines(alice) == ["short"]
    await alice.taps("Keep the first 300")
    await alice.hears("Changed, and")
    assert await house.lines(alice) == ["y" * 300]


async def test_editing_other_messages_changes_nothing(house: House) -> None:
    alice, _ = await house.told("The line.")
    command = next(seen for seen in alice.sees if seen.text == "/today")
    await alice.edits(command, "Today")
    await alice.hears("Nothing is kept from that message.")
    assert await house.lines(alice) == ["The line."]


async def test_unchanged_edit_is_ignored(house: House) -> None:
    """Telegram reports an edit even when only something else about a message has changed."""
    alice, _ = await house.told("The line.")
    (message,) = [seen for seen in alice.sees if seen.text == "The line."]
    await alice.edits(message, "The line.\n")
    await alice.says("/help")
    await alice.hears("One small question a day, one line back. It")
    assert len(alice.new) == 1


async def test_change_takes_the_next_text(house: House) -> None:
    alice, kept = await house.told("First wording.")
    await alice.taps("Change")
    await alice.hears("Send it the way you want it.")
    await alice.says("Second wording.")
    changed = await alice.hears("Changed, and")
    assert changed.message_id != kept.message_id
    assert await house.lines(alice) == ["Second wording."]
    (message,) = [seen for seen in alice.sees if seen.text == "Second wording."]
    await alice.edits(message, "Third wording.")  # from now on the Line belongs to the new message
    await alice.hears("Changed, and")
    assert await house.lines(alice) == ["Third wording."]


async def test_change_can_be_cancelled(house: House) -> None:
    alice, _ = await house.told("As it is.")
    await alice.taps("Change")
    await alice.taps("Leave it as it is")
    await alice.hears(ONLY_YOU)
    await alice.taps("Change")
    await alice.hears("Send it the way you want it.")
    await alice.says("/cancel")
    await alice.hears("All right. Nothing has changed.")
    await alice.says("Something else.")
    await alice.hears("There is a line to this question already")
    assert await house.lines(alice) == ["As it is."]


async def test_any_command_cancels_a_change(house: House) -> None:
    alice, _ = await house.told("As it is.")
    await alice.taps("Change")
    await alice.hears("Send it the way you want it.")
    await alice.says("/help")
    await alice.hears("One small question a day, one line back. It")
    await alice.says("Something else.")
    await alice.hears("There is a line to this question already")


async def test_change_is_not_awaited_forever(house: House) -> None:
    alice, _ = await house.told("As it is.")
    await alice.taps("Change")
    await alice.hears("Send it the way you want it.")
    house.telegram.advance(hours=2)
    await alice.says("Hours later.")
    await alice.hears("There is a line to this question already")


async def test_delete_asks_once_more(house: House) -> None:
    alice, _ = await house.told()
    await alice.taps("Delete")
    sure = await alice.hears("Delete this line for good?")
    assert "it stays until you delete it there too" in sure.text
    await alice.taps("Keep it")
    await alice.hears(ONLY_YOU)
    assert len(await house.lines(alice)) == 1
    await alice.taps("Delete")
    await alice.taps("Delete it")
    gone = await alice.hears("Deleted. I no longer have it.")
    assert not gone.labels
    assert await house.lines(alice) == []


async def test_nothing_revives_a_deleted_line(house: House) -> None:
    alice, kept = await house.told("Soon gone.")
    change, delete = (button["callback_data"] for button in kept.markup["inline_keyboard"][-1])
    await alice.taps("Delete")
    await alice.taps("Delete it")
    await alice.hears("Deleted.")
    await alice.taps_data(kept, change)
    await alice.hears("That line is already gone.")
    await alice.taps_data(kept, delete)
    await alice.answered()
    assert alice.last.text == "That line is already gone."
    (message,) = [seen for seen in alice.sees if seen.text == "Soon gone."]
    await alice.edits(message, "Back again?")
    await alice.hears("Nothing is kept from that message.")
    assert await house.lines(alice) == []


@pytest.mark.parametrize(
    ("choice", "answer", "left"),
    [
        ("Keep as another", ONLY_YOU, ["First.", "Second."]),
        ("Replace", "Changed, and shown to nobody.", ["Second."]),
        ("Don't keep it", "Not kept.", ["First."]),
    ],
)
async def test_second_text_adds_replaces_or_goes(house: House, choice: str, answer: str, left: list[str]) -> None:
    alice, _ = await house.told("First.")
    await alice.says("Second.")
    await alice.hears("There is a line to this question already")
    assert await house.lines(alice) == ["First."]
    await alice.taps(choice)
    await alice.hears(answer)
    assert await house.lines(alice) == left


async def test_old_card_never_deletes_another_wording(house: House) -> None:
    alice, kept = await house.told("First.")
    _, delete = (button["callback_data"] for button in kept.markup["inline_keyboard"][-1])
    await alice.says("Second.")
    asked = await alice.hears("There is a line to this question already")
    assert asked.marked("blockquote") == ["First."]
    await alice.taps("Replace")
    changed = await alice.hears("Changed, and")
    await loses_buttons(house, alice, kept)
    await alice.taps_data(kept, delete)  # as if Telegram had not removed them
    now = await alice.hears("This line has been changed since. Now it reads:")
    assert (now.message_id, now.marked("blockquote")) == (kept.message_id, ["Second."])
    assert await house.lines(alice) == ["Second."]
    await loses_buttons(house, alice, changed)
    await alice.taps("Delete")
    sure = await alice.hears("Delete this line for good?")
    assert sure.marked("blockquote") == ["Second."]
    await alice.taps("Delete it")
    await alice.hears("Deleted.")
    assert await house.lines(alice) == []


async def test_edit_removes_older_buttons(house: House) -> None:
    alice, kept = await house.told("First.")
    (message,) = [seen for seen in alice.sees if seen.text == "First."]
    await alice.edits(message, "First, and better.")
    changed = await alice.hears("Changed, and")
    await loses_buttons(house, alice, kept)
    await alice.taps("Delete", changed)
    assert (await alice.hears("Delete this line for good?")).marked("blockquote") == ["First, and better."]


async def test_answered_question_loses_its_buttons(house: House) -> None:
    alice, first = await house.asked()
    await alice.says("/today")
    second = await alice.waits_for(
        lambda seen: question_of(seen) == question_of(first) and seen.message_id > first.message_id
    )
    await loses_buttons(house, alice, first)
    await alice.says("The dog waited at the door.")
    await alice.hears(ONLY_YOU)
    await loses_buttons(house, alice, second)


async def test_reply_answers_that_messages_question(house: House) -> None:
    alice, first = await house.asked()
    await alice.says("/today")
    second = await alice.waits_for(
        lambda seen: question_of(seen) == question_of(first) and seen.message_id > first.message_id
    )
    await alice.taps("Another one", second)
    await alice.waits_for(lambda seen: is_question(seen) and question_of(seen) != question_of(first))
    await alice.says("To the first one.", reply_to=first)
    await alice.hears(ONLY_YOU)
    (prompt_id,) = await house.prompts(alice, "lines")
    assert CONTENT.prompts[prompt_id].text == question_of(first)


async def loses_buttons(house: House, person: Person, message: Seen) -> None:
    """Wait until this message no longer has buttons."""

    def bare() -> bool:
        seen = person.message(message.message_id)
        return seen is not None and not seen.labels

    await house.telegram.until(bare)
    assert bare(), f"{message.text!r} keeps its buttons"


async def test_first_decision_about_a_text_stands(house: House) -> None:
    """Two buttons are tapped before the first tap is answered; the screen is still correct."""
    alice, _ = await house.told("First.")
    await alice.says("Second.")
    aside = await alice.hears("There is a line to this question already")
    another, _, ignore = (button["callback_data"] for row in aside.markup["inline_keyboard"] for button in row)
    await alice.taps_data(aside, another)
    await alice.taps_data(aside, ignore)
    await alice.answered()
    await house.caught_up()
    assert await house.lines(alice) == ["First.", "Second."]
    shown = alice.message(aside.message_id)
    assert shown
    assert shown.text.startswith("Kept, and")
    assert "Delete" in shown.labels


async def test_waiting_text_can_still_be_edited(house: House) -> None:
    alice, _ = await house.told("First.")
    second = await alice.says("Secnd.")
    await alice.hears("There is a line to this question already")
    await alice.edits(second, "Second.")
    await alice.hears("There is a line to this question already")
    await alice.taps("Replace", alice.last)
    await alice.hears("Changed, and")
    assert await house.lines(alice) == ["Second."]


async def test_three_hundred_characters_are_a_line(house: House) -> None:
    alice, _ = await house.told("x" * 300)
    assert await house.lines(alice) == ["x" * 300]
    bob, _ = await house.told("🙂" * 300)
    assert await house.lines(bob) == ["🙂" * 300]


async def test_too_long_text_is_counted(house: House) -> None:
    alice, _ = await house.asked()
    await alice.says("x" * 301)
    long = await alice.hears("That's 301 characters; a line has up to 300.")
    assert long.labels == ["Keep the first 300", "I'll shorten it", "Don't keep it"]
    await alice.taps("Keep the first 300")
    await alice.hears(ONLY_YOU)
    assert await house.lines(alice) == ["x" * 300]


async def test_new_text_shortens_a_long_one(house: House) -> None:
    alice, _ = await house.asked()
    await alice.says("words " * 100)
    await alice.taps("I'll shorten it")
    await alice.hears("Send it in up to 300 characters")
    await alice.says("y" * 302)
    await alice.hears("That's 302 characters")
    await alice.taps("I'll shorten it")
    await alice.hears("Send it in up to 300 characters")
    await alice.says("Fewer words.")
    await alice.hears(ONLY_YOU)
    assert await house.lines(alice) == ["Fewer words."]
    assert house.stored("SELECT 1 FROM drafts WHERE user_id = ?", alice.id) == []


async def test_dropped_text_keeps_the_question(house: House) -> None:
    alice, _ = await house.asked()
    await alice.says("x" * 4096)
    await alice.hears("That's 4096 characters")
    await alice.taps("Don't keep it")
    await alice.hears("Not kept.")
    await alice.says("Short then.")
    await alice.hears(ONLY_YOU)
    assert await house.lines(alice) == ["Short then."]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("one\ntwo\n\nthree\r\nfour", "one two three four"),
        ("a\ttab and  two spaces", "a tab and  two spaces"),
        ("👩‍👩‍👧‍👦 🇩🇪 👍🏽", "👩‍👩‍👧‍👦 🇩🇪 👍🏽"),
        ("<b>bold</b> & <script>x</script> &amp;", "<b>bold</b> & <script>x</script> &amp;"),
        ("%(when)s 100% {name} \\n $HOME", "%(when)s 100% {name} \\n $HOME"),
        ("مرحبا كيف حالك", "مرحبا كيف حالك"),
        ("'; DROP TABLE lines; --", "'; DROP TABLE lines; --"),
        ("see /help later", "see /help later"),
    ],
)
async def test_words_are_kept_on_one_line(house: House, typed: str, kept: str) -> None:
    alice, _ = await house.told(typed)
    assert await house.lines(alice) == [kept]


async def test_invisible_text_is_no_line(house: House) -> None:
    alice, _ = await house.asked()
    await alice.says("\u200b\u2060")
    await alice.hears("I couldn't find any words in that.")
    assert await house.lines(alice) == []


@pytest.mark.parametrize("kind", [*KINDS, "location"])
async def test_media_without_text_is_declined_kindly(house: House, kind: str) -> None:
    alice, _ = await house.asked()
    place = {"latitude": 48.1, "longitude": 11.6} if kind == "location" else {}
    await alice.sends(kind, caption="" if kind in {"location", "contact", "dice", "poll"} else "my words", **place)
    await alice.hears("I keep text only")
    assert await house.lines(alice) == []
    await alice.says("In words, then.")
    await alice.hears(ONLY_YOU)


async def test_forwarded_message_is_not_kept(house: House) -> None:
    alice, _ = await house.asked()
    await alice.forwards("Somebody's words.")
    await alice.hears("That was forwarded, so I left it.")
    assert await house.lines(alice) == []


async def test_text_without_a_question_waits(house: House) -> None:
    alice = await house.skipped()
    await alice.says("It was a good day.")
    asked = await alice.hears("Keep this as a line for today?")
    assert asked.labels == ["Keep it", "Don't keep it"]
    await alice.taps("Keep it")
    await alice.hears(ONLY_YOU)
    assert await house.lines(alice) == ["It was a good day."]
    await alice.says("And another.")
    await alice.taps("Don't keep it")
    await alice.hears("Not kept.")
    assert await house.lines(alice) == ["It was a good day."]


async def test_today_shows_the_present_state(house: House) -> None:
    alice = await house.settled(hour="23:00")

    async def today() -> str:
        asked = await alice.says("/today")
        return question_of(await alice.waits_for(lambda seen: seen.message_id > asked))

    question = await today()
    assert is_question(alice.last)
    assert await today() == question  # open: it is shown again
    await alice.taps("Not today")
    await alice.hears("All right, not today.")
    assert await today() == question  # skipped: it comes back
    await alice.taps("Later", alice.last)
    await alice.taps("Tonight")
    await alice.hears("I'll come back")
    assert await today() == question  # put off: it comes now, and not again tonight
    await alice.says("Here it is.")
    await alice.hears(ONLY_YOU)
    assert "You have kept a line today. The next question comes tomorrow at 23:00." in await today()
    house.telegram.advance(days=1)
    assert is_question_text(await today(), but=question)


def is_question_text(text: str, but: str) -> bool:
    return text in THEMES and text != but
