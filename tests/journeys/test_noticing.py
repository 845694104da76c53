"""/noticed: one line about what the other one did, private until it is given."""

import pytest

from tests.journeys.house import House
from tests.journeys.two import paired

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOTICED = "You filled the tank before my early shift."


async def test_noticed_line_is_private_until_given(house: House) -> None:
    alice, bob = await paired(house)
    bob._acts()
    await alice.says("/noticed")
    await alice.hears("do or carry lately")
    await alice.says(NOTICED)
    kept = await alice.hears("Kept")
    assert "Share…" in kept.labels
    assert await house.lines(alice) == [NOTICED]
    await house.telegram.confirmed()
    assert not bob.new
    await alice.taps("Share…")
    assert (await alice.hears("would see these words")).marked("blockquote") == [NOTICED]
    assert "Just listen" in alice.last.labels
    assert "Advice is welcome" not in alice.last.labels, "thanks need none"


async def test_single_users_have_nothing_to_notice(house: House) -> None:
    alice = await house.settled("Alice")
    await alice.says("/noticed")
    await alice.hears("nobody you share with")
