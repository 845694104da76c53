"""/erase: after one more question everything is gone, from every table, and the partner learns nothing of it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from tests.journeys.house import House, until
from tests.journeys.late import fault_for, later
from tests.journeys.two import paired, shares, tells
from tests.standin import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORDS = "Only for a while."
GONE = "I know nothing of you any more."


@contextmanager
def another_reader(house: House) -> Iterator[None]:
    """Another process that reads the database meanwhile, like a backup."""
    with closing(sqlite3.connect(house.bot.data_dir / "ajar.db", isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM users").fetchall()
        yield


async def erases(person: Person) -> None:
    await person.says("/erase")
    await person.taps("Erase everything")
    await person.hears(GONE)


async def test_erase_removes_everything(house: House) -> None:
    alice = await house.settled()
    await tells(alice, WORDS)
    await alice.says("/erase")
    await alice.hears("This removes everything I keep of you, for good")
    await alice.taps("Leave it")
    await alice.hears("Everything stays as it was.")
    assert await house.lines(alice) == [WORDS]
    await alice.says("/erase")
    asked = await alice.hears("This removes everything")
    ((erase,), _) = asked.markup["inline_keyboard"]
    await alice.taps("Erase everything")
    await alice.hears(GONE)
    await house.forgets(alice)
    await alice.taps_data(asked, erase["callback_data"])
    await alice.hears("Nothing about you is stored.")
    await alice.says("/erase")
    await alice.hears("Nothing about you is stored.")
    await alice.says("Hello again")
    await alice.waits_for(lambda seen: bool(seen.labels), what="the start")
    await house.forgets(alice)


async def test_erased_key_leaves_the_files(house: House) -> None:
    """Otherwise deleted rows would stay readable in the write-ahead log and in free pages."""
    alice = await house.settled()
    await tells(alice, WORDS)
    ((key,),) = house.stored("SELECT data_key FROM users WHERE id = ?", alice.id)
    assert house.on_disk(key)
    await erases(alice)
    assert not house.on_disk(key)


async def test_remaining_traces_are_reported(house: House) -> None:
    """While another process reads the file, the last traces can't be overwritten; nobody waits for that."""
    alice, bob = await house.settled(), await house.settled("Bob")
    await tells(alice, WORDS)
    ((key,),) = house.stored("SELECT data_key FROM users WHERE id = ?", alice.id)
    await alice.says("/erase")
    await alice.hears("This removes everything")
    with another_reader(house):
        await alice.taps("Erase everything")
        await alice.hears("The last traces on the disk are overwritten in a while")
        await house.forgets(alice)
        await tells(bob, "Written meanwhile.")
        assert house.on_disk(key)
    await until(lambda: not house.on_disk(key), "the key is gone")


async def test_deleted_line_leaves_the_files(house: House) -> None:
    alice = await house.settled()
    await tells(alice, WORDS)
    ((words,),) = house.stored("SELECT words FROM lines WHERE user_id = ?", alice.id)
    assert house.on_disk(words)
    await alice.taps("Delete")
    await alice.taps("Delete it")
    await alice.hears("Deleted. I no longer have it.")
    assert not house.on_disk(words)


async def test_changed_words_leave_the_files(house: House) -> None:
    alice = await house.settled()
    await tells(alice, WORDS)
    ((words,),) = house.stored("SELECT words FROM lines WHERE user_id = ?", alice.id)
    await alice.taps("Change")
    await alice.says("Other words.")
    await alice.hears("Changed, and")
    await until(lambda: not house.on_disk(words), "the old words are gone")


async def test_answered_results_are_forgotten(house: House) -> None:
    """Ids, offers, the length of a text: none of it is kept longer than the answer needs it."""
    alice = await house.settled()
    await alice.says("x" * 317)
    await alice.hears("That's 317 characters")
    await house.caught_up()
    assert answers_of(house, alice) == []
    assert house.stored("SELECT 1 FROM inbox WHERE raw IS NOT NULL OR lane IS NOT NULL") == []


async def test_no_result_outlives_an_erase(house: House) -> None:
    """This holds if it was answered, is on its way, or waits in the outbox."""
    alice = await house.settled()
    await tells(alice, WORDS)
    ((line_id,),) = house.stored("SELECT id FROM lines WHERE user_id = ?", alice.id)
    alice._acts()
    await alice.says("/erase")
    asked = await alice.hears("This removes everything")
    ((erase,), _) = asked.markup["inline_keyboard"]
    await fault_for(house, alice, "429", retry_after=8)
    await alice.says("Another thought.")
    await until(lambda: later(house, alice), "its answer waits in the outbox")
    await alice.taps_data(asked, erase["callback_data"])
    await until(
        lambda: not house.stored("SELECT 1 FROM users WHERE id = ?", alice.id), "all but the last answer is gone"
    )
    assert not any(str(line_id) in result or "SetAside" in result for result in answers_of(house, alice))
    await house.telegram.no_faults()
    house.telegram.advance(seconds=10)
    await alice.hears(GONE)
    await house.forgets(alice)


async def test_outbox_answer_is_forgotten_too(house: House) -> None:
    alice = await house.skipped()
    await fault_for(house, alice, "429", retry_after=5)
    await alice.says("A thought.")
    await until(lambda: later(house, alice), "its answer waits in the outbox")
    (result,) = answers_of(house, alice)
    assert "SetAside" in result, "it is needed"
    await house.telegram.no_faults()
    house.telegram.advance(seconds=10)
    await alice.hears("Keep this as a line for today?")
    await house.caught_up()
    assert answers_of(house, alice) == []


def answers_of(house: House, person: Person) -> list[str]:
    """Return the Results of the answers to this person that are still stored."""
    found = house.stored("SELECT result FROM notices WHERE kind = 'answer' AND user_id = ?", person.id)
    return [result for (result,) in found]


async def test_old_erase_button_erases_nothing(house: House) -> None:
    alice = await house.settled()
    await alice.says("/erase")
    asked = await alice.hears("This removes everything")
    house.telegram.advance(hours=2)
    await alice.taps("Erase everything", asked)
    await alice.answered()
    await alice.hears("This removes everything")
    assert house.remembers(alice)


async def test_erased_users_partner_gets_nothing(house: House) -> None:
    alice, bob = await paired(house)
    await shares(alice, WORDS)
    bob._acts()
    await erases(alice)
    await house.forgets(alice)
    house.telegram.advance(minutes=16)
    await bob.says("/help")
    await bob.hears("One small question a day, one line back. It")
    assert not any("left you a line" in seen.text for seen in bob.new)
    await bob.says("/waiting")
    await bob.hears("Sharing has ended.")


async def test_erase_removes_announced_lines(house: House) -> None:
    alice, bob = await paired(house)
    await shares(alice, WORDS)
    bob._acts()
    house.telegram.advance(minutes=15)
    announced = await bob.hears("left you a line")
    await erases(alice)
    await bob.taps("Open", announced)
    await bob.hears("Sharing has ended.")
    assert not any(WORDS in seen.text for seen in bob.sees)


async def test_sharer_notices_no_receivers_erase(house: House) -> None:
    alice, bob = await paired(house)
    await shares(alice, WORDS)
    alice._acts()
    await erases(bob)
    house.telegram.advance(minutes=20)
    await alice.says("/help")
    await alice.hears("One small question a day, one line back. It")
    assert len(alice.new) == 1
    await alice.says("/share")
    await alice.hears("Sharing has ended.")
    assert await house.lines(alice) == [WORDS]


async def test_erase_keeps_the_chosen_language(house: House) -> None:
    alice = await house.settled()
    await alice.says("/language")
    await alice.taps("Deutsch")
    await alice.says("/erase")
    await alice.taps("Alles löschen")
    await alice.hears("Ich weiß nichts mehr von dir.")
    await house.forgets(alice)


async def test_policy_is_readable_before_agreeing(house: House) -> None:
    alice = house.newcomer()
    await alice.says("/start")
    await alice.taps("What is stored")
    await alice.taps("The whole policy")
    policy = await alice.hears("Privacy policy, version 1")
    assert "Whoever runs this bot: not stated." in policy.text
    await alice.taps("As a file")
    file = await alice.hears("To keep or to print")
    assert file.content["document"]["file_name"] == "privacy.html"
    page = house.telegram.world.files[file.content["document"]["file_id"]].content.decode()
    assert "Whoever runs this bot: not stated." in page
    await house.forgets(alice)


async def test_withdrawn_consent_leaves_export_and_erase(house: House) -> None:
    alice, bob = await paired(house)
    await shares(alice, WORDS)
    bob._acts()
    await alice.says("/privacy")
    await alice.taps("Withdraw my consent")
    await alice.hears("Then I stop")
    await alice.taps("Yes, withdraw it")
    await alice.hears("Done. I keep what is here")
    await alice.says("Nobody may keep this.")
    await alice.hears("I don't read what you send")
    await alice.says("/today")
    await alice.hears("I don't read what you send")
    house.telegram.advance(days=2)
    await alice.says("/export")
    await alice.hears("The same for a program")
    assert not any("left you a line" in seen.text for seen in bob.new)
    assert await house.lines(alice) == [WORDS]

    await alice.says("/start")
    await alice.taps("I agree; keep my lines")
    await alice.hears("You're all set.")
    await tells(alice, "Here again.")
    await alice.says("/privacy")
    await alice.taps("Withdraw my consent")
    await alice.taps("Yes, withdraw it")
    await alice.hears("Done. I keep what is here")
    await erases(alice)
    await house.forgets(alice)
