"""One act that makes many messages gets one answer, and every one of its updates is handled."""

import pytest

from tests.journeys.house import House
from tests.standin import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODES = ("polling", "webhook")
TEXT_ONLY = "I keep text only"
FORWARDED = "That was forwarded, so I left it."


def said(person: Person, part: str) -> int:
    return len([seen for seen in person.sees if seen.by_bot and part in seen.text])


@pytest.mark.parametrize("caption", ["", "Our holidays"])
async def test_album_gets_one_answer(house: House, caption: str) -> None:
    alice, _ = await house.asked()
    await alice.sends_album("photo", 10, caption=caption)
    await alice.hears(TEXT_ONLY)
    await house.caught_up()
    assert said(alice, TEXT_ONLY) == 1
    house.telegram.advance(seconds=11)
    await alice.sends_album("video", 2)
    await alice.hears(TEXT_ONLY)


async def test_forwards_and_stickers_get_single_answers(house: House) -> None:
    alice, _ = await house.asked()
    for number in range(8):
        await alice.forwards(f"Words of somebody, {number}.")
    for _ in range(6):
        await alice.sends("sticker")
    await house.caught_up()
    await alice.says("Written myself.")
    await alice.hears("Kept, and")
    assert (said(alice, FORWARDED), said(alice, TEXT_ONLY)) == (1, 1)
    assert await house.lines(alice) == ["Written myself."]


async def test_early_pictures_get_one_greeting(house: House) -> None:
    alice = house.newcomer()
    await alice.sends_album("document", 3)
    await alice.hears("One small question a day, one line back: twenty")
    await house.caught_up()
    assert said(alice, "One small question a day, one line back: twenty") == 1


async def test_later_sticker_is_answered_again(house: House) -> None:
    alice, _ = await house.asked()
    await alice.sends("sticker")
    await alice.hears(TEXT_ONLY)
    await alice.says("/help")
    await alice.hears("One small question a day, one line back. It")
    await alice.sends("sticker")
    await alice.hears(TEXT_ONLY)
    house.telegram.advance(seconds=11)
    await alice.sends("sticker")
    await alice.hears(TEXT_ONLY)


async def test_same_text_twice_is_two_acts(house: House) -> None:
    alice = await house.settled()
    for _ in range(2):
        await alice.says("/help")
        await alice.hears("One small question a day, one line back. It")


async def test_invitation_inside_an_album_is_answered(house: House) -> None:
    alice, bob = await house.settled(), await house.settled("Bob")
    await alice.says("/pair")
    await alice.taps("Yes")
    invitation = await alice.hears("Pass this link on")
    link = next(word for word in invitation.text.split() if "?start=" in word)
    await bob.sends_album("photo", 4, caption=f"Look: {link}")
    await bob.hears("Alice")
    await house.caught_up()
    assert said(bob, TEXT_ONLY) == 0
