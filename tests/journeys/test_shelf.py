"""*Name the feeling*: two taps under a kept line, private, and back again in /words."""

import pytest

from tests.journeys.house import House
from tests.journeys.two import opens, paired, shares, tells

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORDS = "I sat in the car and cried, as after the funeral."


async def test_word_is_two_taps_away(house: House) -> None:
    alice, kept = await house.told(WORDS)
    await alice.taps("Name the feeling")
    shelf = await alice.hears("Which comes close?")
    assert shelf.message_id == kept.message_id, "it opens in place"
    assert [len(row) for row in shelf.buttons[:6]] == [2] * 6
    assert shelf.labels[0] == "Heavy", "the nearest to what was written"
    assert shelf.labels[12] == "No word fits"

    await alice.taps("Heavy")
    board = await alice.hears("disappointed – you'd set a place for it")
    assert (board.message_id, board.labels[-2:]) == (kept.message_id, ["Just “heavy”", "Back"])
    await alice.taps("Back")
    await alice.hears("Which comes close?")
    await alice.taps("Heavy")
    await alice.taps("Just “heavy”")
    named = await alice.hears("Your word for it: heavy")
    assert named.message_id == kept.message_id

    await alice.taps("Another word")
    await alice.taps("No word fits")
    await alice.hears("That happens.")
    await alice.says("like <wet> wool")
    await alice.hears("Your words for it: heavy, like <wet> wool")
    assert await house.lines(alice) == [WORDS], "the word became no line"
    await alice.says("/words")
    await alice.hears("heavy · like <wet> wool")

    await alice.taps("Another word")
    await alice.taps("Take them off")
    assert "for it:" not in (await alice.hears("Kept, and shown to nobody.")).text
    await alice.says("/words")
    await alice.hears("No words yet")


async def test_words_are_german_in_german(house: House) -> None:
    anna, _ = await house.told(WORDS)
    await anna.says("/language Deutsch")
    await anna.taps("Name the feeling")
    await anna.taps("Schwer")
    await anna.hears("der Platz war gedeckt")
    await anna.taps("Enttäuscht")
    await anna.hears("Dein Wort dafür: enttäuscht")


async def test_partner_gets_an_added_word(house: House) -> None:
    alice, bob = await paired(house)
    await tells(alice, WORDS)
    await alice.taps("Name the feeling")
    await alice.taps("Heavy")
    await alice.taps("Just “heavy”")
    await alice.hears("Your word for it: heavy")
    await alice.taps("Share…")
    preview = await alice.hears("would see these words")
    assert "heavy" not in preview.text
    await alice.taps("Add my word for it")
    added = await alice.hears("(heavy)")
    assert (added.message_id, added.marked("blockquote")[0].endswith(f"{WORDS} (heavy)")) == (preview.message_id, True)
    assert "Add my word for it" not in added.labels, "once is enough"
    await alice.taps("Just listen")
    await alice.hears("First only this")
    await alice.taps(next(label for label in alice.last.labels if label.startswith("In 15 minutes")))
    await alice.hears("Set for")
    assert (await opens(bob, house)).text.count("(heavy)") == 1


async def test_partner_gets_no_word(house: House) -> None:
    alice, bob = await paired(house)
    await shares(alice, WORDS)
    await alice.taps("Name the feeling")
    await alice.taps("Heavy")
    await alice.taps("Disappointed")
    await alice.hears("disappointed")
    opened = await opens(bob, house)
    assert WORDS in opened.text
    assert not any("disappointed" in seen.text for seen in bob.sees)
