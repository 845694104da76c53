"""The safety card, after words that sound like a crisis or like fear of somebody: it blocks and reveals nothing."""

import pytest

from tests.journeys.house import House, until
from tests.journeys.two import opens, paired, tells
from tests.standin import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

HEAVY = "i dont want to live anymore"
CARD = "nobody reads this chat, so nobody will notice"


async def quiet(person: Person, house: House) -> None:
    """Wait until all is answered, and see that no card came."""
    await house.caught_up()
    assert not any(CARD in seen.text for seen in person.sees)


async def test_card_follows_a_line_until_tapped(house: House) -> None:
    alice, kept = await house.told(HEAVY)
    card = await alice.hears(CARD)
    assert card.message_id > kept.message_id, "first, and whatever it says, the line is kept"
    assert "112 or 911" in card.text
    assert HEAVY not in card.text
    assert await house.lines(alice) == [HEAVY]
    await alice.taps("Hide this", card)
    await until(lambda: alice.message(card.message_id) is None, "the card is gone")
    await alice.taps("Name the feeling", kept)
    await alice.hears("Which comes close?")
    await quiet(alice, house)


async def test_nothing_remembers_the_card(house: House) -> None:
    """Somebody's rows are the same, but for ids, whether or not the card followed."""
    alice, _ = await house.told(HEAVY)
    await alice.hears(CARD)
    bella, _ = await house.told("i dont want to cook anymore")
    await quiet(bella, house)
    tables = [name for (name,) in house.stored("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in tables:
        columns = [name for _, name, *_ in house.stored(f"PRAGMA table_info({table})")]
        if "user_id" in columns and table != "traces":
            count = f"SELECT count(*) FROM {table} WHERE user_id = ?"  # noqa: S608
            assert house.stored(count, alice.id) == house.stored(count, bella.id), table
    assert not any(part in house.bot.output for part in (HEAVY, "safety", "phrases"))


async def test_every_text_is_checked(house: House) -> None:
    nobody = house.newcomer("Nora", "de")
    await nobody.says("/start")
    await nobody.hears("Eine kleine Frage")
    await nobody.says("Ich habe Angst vor meinem Mann.")
    card = await nobody.hears("Diesen Chat liest niemand")
    assert "Notruf" in card.text
    await nobody.says("/support")
    await nobody.hears("Notruf")

    alice = await house.skipped()
    await alice.says(HEAVY)
    await alice.hears("Keep this as a line for today?")
    await alice.hears(CARD)
    await alice.says("/today he hits me")
    await alice.hears(CARD)
    await alice.forwards(HEAVY)
    await alice.hears("That was forwarded")
    edited = await alice.says("dead tired")
    await alice.hears("Keep this as a line for today?")
    await alice.edits(edited, "i wanna be dead")
    await alice.hears(CARD)


async def test_heavy_line_needs_another_yes(house: House) -> None:
    alice, bob = await paired(house)
    await tells(alice, HEAVY)
    await alice.taps("Share…")
    await alice.hears("would see these words")
    await alice.taps("Just listen")
    await alice.hears("First only this")
    await alice.taps(next(label for label in alice.last.labels if label.startswith("In 15 minutes")))
    asked = await alice.hears("One more look, before")
    assert HEAVY in asked.text
    assert house.stored("SELECT state FROM reflections WHERE user_id = ?", alice.id) == [("drafted",)]
    bob._acts()
    house.telegram.advance(minutes=20)
    await house.caught_up()
    assert not bob.new, "nothing goes out on one yes"

    await alice.taps("Yes, share it")
    await alice.hears("Set for")
    opened = await opens(bob, house)
    assert HEAVY in opened.text
    assert not any("One more look" in seen.text or CARD in seen.text for seen in bob.sees)


async def test_other_words_need_another_yes(house: House) -> None:
    alice, _ = await paired(house)
    await tells(alice, "Long day.")
    await alice.taps("Share…")
    await alice.hears("would see these words")
    await alice.taps("Just listen")
    await alice.hears("First only this")
    await alice.taps(next(label for label in alice.last.labels if label.startswith("Tomorrow morning")))
    await alice.hears("Set for")
    await alice.taps("Change")
    await alice.taps("Word it differently")
    await alice.hears("Send me the words")
    await alice.says(HEAVY)
    await alice.hears(CARD)
    await alice.taps("Use these words")
    await alice.hears("One more look, before")
    await alice.taps("Keep it to myself")
    shown = await alice.hears("Set for")
    assert "Long day." in shown.text


async def test_withdrawn_consent_stops_reading(house: House) -> None:
    alice = await house.skipped()
    await alice.says("/privacy")
    await alice.taps("Withdraw my consent")
    await alice.taps("Yes, withdraw it")
    await alice.hears("Done. I keep what is here")
    await alice.says(HEAVY)
    await alice.hears("/support says where to turn")
    await quiet(alice, house)
