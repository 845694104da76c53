"""/journal: a user's own lines, page by page in one message, and back to the page after any change to a line."""

import pytest

from tests.journeys.house import House
from tests.journeys.two import answers, opens, paired, shares
from tests.standin import Person, Seen

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOUGHT = "qanary"


async def keeps(alice: Person, *texts: str) -> None:
    """Keep these as further lines of the day."""
    for words in texts:
        await alice.says(words)
        await alice.taps("Keep as another")
        await alice.hears("Kept, and")


async def opens_journal(alice: Person) -> Seen:
    await alice.says("/journal")
    return await alice.hears("Your lines")


async def test_page_turns_in_place(house: House) -> None:
    alice, _ = await house.told("The dog waited at the door.")
    await keeps(alice, *(f"line {number}" for number in range(1, 7)))
    page = await opens_journal(alice)
    assert "line 6" in page.text
    assert "line 1" not in page.text
    assert page.buttons == [["1", "2", "3", "4", "5"], ["Find…", "Older ›"]]
    await alice.taps("Older ›")
    older = await alice.hears("The dog waited")
    assert (older.message_id, older.buttons) == (page.message_id, [["1", "2"], ["‹ Newer", "Find…"]])

    await alice.taps("1")
    await alice.hears("line 1")
    await alice.taps("Change")
    await alice.hears("Send it the way you want it.")
    await alice.says("another line 1")
    changed = await alice.hears("Changed, and shown to nobody.")
    assert "another line 1" in changed.text
    assert changed.buttons == older.buttons

    await alice.taps("2")
    opened = await alice.waits_for(lambda seen: "Back to the page" in seen.labels)
    assert opened.message_id == changed.message_id
    await alice.taps("Delete")
    await alice.taps("Delete it")
    deleted = await alice.hears("Deleted. I no longer have it.")
    assert (deleted.message_id, deleted.buttons[0]) == (changed.message_id, ["1"])
    assert "The dog" not in deleted.text
    assert await house.lines(alice) == ["another line 1", *(f"line {number}" for number in range(2, 7))]


async def test_search_finds_and_leaves_nothing_behind(house: House) -> None:
    alice, _ = await house.told("Ein QANÁRY sang.")
    await keeps(alice, "nothing of it")
    await opens_journal(alice)
    await alice.taps("Find…")
    await alice.taps("Search…")
    await alice.hears("Send me a word")
    await alice.says(SOUGHT)
    found = await alice.hears("Found in your lines")
    assert "sang" in found.text
    assert "nothing" not in found.text
    await alice.taps("Find…")
    await alice.taps("Search…")
    await alice.says("zeppelin")
    await alice.hears("There is none.")
    await house.caught_up()
    assert not house.on_disk(SOUGHT.encode())
    assert not house.on_disk(b"zeppelin")
    await alice.taps("All lines")
    await alice.hears("nothing of it")


async def test_word_and_theme_find_lines(house: House) -> None:
    alice, kept = await house.told("heavy day")
    await alice.taps("Name the feeling", kept)
    await alice.taps("No word fits")
    await alice.hears("That happens.")
    await alice.says("wet wool")
    await alice.hears("Your word for it: wet wool")
    await keeps(alice, "lighter")
    await opens_journal(alice)
    await alice.taps("Find…")
    await alice.taps("By a word")
    await alice.taps("Wet wool")
    by_word = await alice.hears("Your lines with the word “wet wool”")
    assert "heavy day" in by_word.text
    assert "lighter" not in by_word.text
    await alice.taps("Find…")
    await alice.taps("By a theme")
    (theme,) = [label for label in (await alice.hears("Which theme?")).labels if label != "Back"]
    await alice.taps(theme)
    await alice.hears(f"Your lines: {theme}")


async def test_empty_journal_is_kind_in_german(house: House) -> None:
    anna = await house.settled()
    await anna.says("/language Deutsch")
    await anna.says("/journal")
    empty = await anna.hears("Hier ist noch nichts")
    assert "/today" in empty.text
    assert empty.buttons == []


async def test_journal_shows_what_came_back(house: House) -> None:
    alice, bob = await paired(house)
    await shares(alice, "I sat in the car.")
    await opens_journal(alice)
    await alice.taps("1")
    shared = await alice.hears("Set for")
    assert "What was shared" in shared.labels
    assert "Share…" not in shared.labels
    await opens(bob, house)
    await answers(bob, house, "Thank you for telling me")
    await alice.hears("Did that land all right?")
    await alice.taps("Back to the page", shared)
    await alice.taps("1", shared)
    answered = await alice.hears("and answered.")
    await alice.taps("What was shared", answered)
    came = await alice.hears("Thank you for telling me")
    assert came.message_id != answered.message_id
    assert "Back to the page" in (alice.message(answered.message_id) or came).labels
    assert not any("Your lines" in seen.text for seen in bob.sees)
