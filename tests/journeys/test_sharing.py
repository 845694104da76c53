"""Sharing and receiving, over HTTP, with two phones: the whole story, each turn of it, and what must not be told."""

import pytest

from tests.journeys.house import House
from tests.journeys.two import paired, shares

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORDS = "I sat in the car for ten minutes before I could come in."
ANNOUNCED = "Alice⁩ left you a line. For a quiet minute."


async def test_one_line_from_the_preview_to_the_answer(house: House) -> None:
    alice, bob = await paired(house)
    set_ = await shares(alice, WORDS)
    assert WORDS in set_.text
    bob._acts()
    house.telegram.advance(minutes=15)
    announced = await bob.hears(ANNOUNCED)
    assert WORDS not in announced.text
    assert announced.labels == ["Open", "Later", "Not now"]
    await bob.taps("Open")
    opened = await bob.hears("just listen")
    assert opened.protected
    assert opened.spoilers() == [WORDS]
    alice._acts()
    await bob.taps("Thank you for telling me")
    await bob.hears("Sent.")
    heard = await alice.hears("Thank you for telling me")
    assert heard.protected
    await alice.taps("Not really")
    await alice.hears("one step lighter")
