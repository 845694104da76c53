"""The menu of commands: those for two only in a Pair, the end of a pause only during one; it gives nothing away."""

import pytest

from bot.i18n import say_in
from bot.tg.screens.always import commands
from tests.journeys.house import House
from tests.journeys.test_pairing import invites, link_of
from tests.journeys.two import paired
from tests.standin import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALONE = tuple(name for name, _ in commands(say_in("en")))
PAIRED = tuple(name for name, _ in commands(say_in("en"), paired=True))


def menu(house: House, person: Person) -> tuple[str, ...]:
    """Return the commands in this person's menu."""
    kept = house.telegram.world.commands
    shown = kept.get(f"chat {person.id}", {}).get("") or kept["default"][""]
    return tuple(each["command"] for each in shown)


async def becomes(house: House, person: Person, names: tuple[str, ...]) -> None:
    await house.telegram.until(lambda: menu(house, person) == names)
    assert menu(house, person) == names


async def test_commands_for_two_need_a_pair(house: House) -> None:
    assert not {"share", "waiting", "noticed", "ritual", "unpair", "resume"} & set(ALONE)
    assert {"share", "waiting", "noticed", "ritual", "unpair"} == set(PAIRED) - set(ALONE)
    alice = await house.settled()
    assert menu(house, alice) == ALONE
    await alice.says("/help")
    assert "/unpair" not in (await alice.hears("One small question a day, one line back. It")).text
    alice, bob = await paired(house)
    for person in (alice, bob):
        await becomes(house, person, PAIRED)
    await alice.says("/help")
    told = (await alice.hears("One small question a day, one line back. It")).text
    assert "/unpair" in told
    assert "/join" not in told


async def test_receiver_without_questions_has_none_to_put_off(house: House) -> None:
    alice, bob = await house.settled("Alice"), house.newcomer("Bob")
    await bob.follows(link_of(await invites(alice)))
    await bob.taps("Yes")
    await bob.taps("Only receive, for now")
    await bob.taps(next(label for label in (await bob.hears("your clock")).labels if label.startswith("London ")))
    alice._acts()
    await alice.taps("Yes, us two", await alice.hears("has said yes to your invitation"))
    await bob.hears("can share lines now")
    await becomes(house, bob, tuple(name for name in PAIRED if name not in {"snooze", "recap"}))
    await bob.says("/help")
    told = (await bob.hears("One small question a day, one line back. It")).text
    assert "/waiting" in told
    assert "/snooze" not in told
    assert "/recap" not in told
    await bob.says("/time 20:30")
    await bob.hears("From now on I ask at 20:30.")
    await becomes(house, bob, PAIRED)


async def test_menu_does_not_reveal_an_end(house: House) -> None:
    alice, bob = await paired(house)
    for person in (alice, bob):
        await becomes(house, person, PAIRED)
    seen = len(house.telegram.calls())
    await alice.says("/unpair")
    await alice.taps("End it now")
    await alice.hears("Sharing has ended.")
    await becomes(house, alice, ALONE)
    await bob.says("/help")
    assert "/unpair" in (await bob.hears("One small question a day, one line back. It")).text
    of_bob = [call for call in house.telegram.calls(since=seen) if str(bob.id) in str(call["params"])]
    assert not [call["method"] for call in of_bob if "Commands" in call["method"]]
    await bob.says("/share")
    await bob.hears("Sharing has ended.")
    await becomes(house, bob, ALONE)


async def test_menu_can_end_a_pause(house: House) -> None:
    alice = await house.settled()
    await alice.says("/pause")
    await alice.taps("Until I say so")
    await alice.hears("Paused.")
    await becomes(house, alice, tuple(name for name, _ in commands(say_in("en"), paused=True)))
    await alice.says("/resume")
    await alice.hears("Good to have you back.")
    await becomes(house, alice, ALONE)


async def test_ended_pause_leaves_the_menu(house: House) -> None:
    alice = await house.settled()
    await alice.says("/pause")
    await alice.taps("Three days")
    await alice.hears("Paused.")
    await becomes(house, alice, tuple(name for name, _ in commands(say_in("en"), paused=True)))
    house.telegram.advance(days=3, hours=12)
    await alice.hears("Your pause is over.")
    await becomes(house, alice, ALONE)


async def test_menu_follows_language_and_erase(house: House) -> None:
    alice, _ = await paired(house)
    await becomes(house, alice, PAIRED)
    await alice.says("/language")
    await alice.taps("Deutsch")
    german = [text for _, text in commands(say_in("de"), paired=True)]

    def texts() -> list[str]:
        kept = house.telegram.world.commands.get(f"chat {alice.id}", {}).get("") or []
        return [each["description"] for each in kept]

    await house.telegram.until(lambda: texts() == german)
    assert texts() == german
    await alice.says("/erase")
    await alice.taps("Alles löschen")
    await house.telegram.until(lambda: not texts())
    assert not texts()
