"""/export: everything of a person comes as two files, at most once an hour, and is nowhere in plain text."""

import pytest

from bot.export_document import Document, parse
from bot.services.arrivals import put
from tests.journeys.house import AGREE, House
from tests.journeys.two import paired, tells
from tests.standin import Person, Seen

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORDS = "The kettle was the loudest thing in the house."


async def exports(person: Person) -> tuple[Seen, Seen]:
    """Ask for an export; return the messages with its two files, the page and the JSON."""
    await person.says("/export")
    await person.hears("I'm putting together everything that is yours")
    page = await person.hears("To read and to print")
    return page, await person.hears("The same for a program")


def content(house: House, seen: Seen) -> bytes:
    return house.telegram.world.files[seen.content["document"]["file_id"]].content


async def test_export_is_a_page_and_json(house: House) -> None:
    alice = await house.settled()
    await tells(alice, WORDS)
    page, data = await exports(alice)
    assert page.content["document"]["file_name"] == "ajar-2027-03-01.html"
    assert data.content["document"]["file_name"] == "ajar-2027-03-01.json"
    document: Document = parse(content(house, data))
    assert [line.words for line in document.lines] == [WORDS]
    assert document.lines[0].question
    assert document.lines[0].question.text
    assert document.profile
    assert document.profile.zone == "Europe/Lisbon"
    assert WORDS in content(house, page).decode()
    await house.caught_up()
    assert not house.on_disk(WORDS.encode())
    assert not any(WORDS.encode() in file.read_bytes() for file in house.bot.data_dir.rglob("*") if file.is_file())

    await alice.says("/export")
    await alice.hears("further up in this chat")
    house.telegram.advance(hours=1)
    await exports(alice)


async def test_refused_file_comes_later(house: House) -> None:
    alice = await house.settled()
    await house.telegram.fault("sendDocument", "429", retry_after=1)
    await exports(alice)


async def test_unconfirmed_export_repeats_at_once(house: House) -> None:
    house.expects("telegram.strange", "incident")
    alice = await house.settled()
    await house.telegram.fault("sendDocument", "strange", times=2, result={})
    await alice.says("/export")
    await alice.hears("Something went wrong on my side")
    await house.telegram.no_faults()
    await exports(alice)


async def test_partner_does_not_notice_an_export(house: House) -> None:
    alice, bob = await paired(house)
    await tells(alice, WORDS)
    bob._acts()
    _, data = await exports(bob)
    assert WORDS not in content(house, data).decode()
    alice._acts()
    await bob.says("/help")
    await bob.hears("One small question")
    assert alice.new == []


async def test_import_needs_a_yes(house: House) -> None:
    alice = await house.settled()
    await tells(alice, WORDS)
    _, data = await exports(alice)
    file = content(house, data)
    await alice.says("/erase")
    await alice.taps("Erase everything")
    await house.forgets(alice)

    async with house._store() as store:
        await put(store, [file], house.telegram.world.now())
    await alice.says("/start")
    await alice.taps(AGREE)
    await alice.hears("Your export from another Ajar was brought here for you.")
    await alice.says("Hello?")
    offered = await alice.hears("Your export from another Ajar was brought here for you.")
    assert await house.lines(alice) == []
    await alice.taps("Take it in", offered)
    await alice.hears("I'm taking your export in")
    await alice.hears("It is all here. The next question comes tomorrow at 20:30.")
    assert await house.lines(alice) == [WORDS]
    await alice.says("/journal")
    await alice.hears(WORDS[:20])

    await alice.says("/erase")
    await alice.taps("Erase everything")
    await house.forgets(alice)
    async with house._store() as store:
        await put(store, [file], house.telegram.world.now())
    await alice.says("/erase")
    await alice.hears("This removes everything")
    await alice.taps("Erase everything")
    await house.forgets(alice)


async def test_nobody_gets_an_export_of_nothing(house: House) -> None:
    charlie = house.newcomer("Charlie")
    await charlie.says("/export")
    await charlie.hears("Nothing about you is stored.")
