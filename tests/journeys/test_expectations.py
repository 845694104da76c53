"""Fear, then fact: asked only of who has said yes once, and told to nobody else."""

import pytest

from tests.journeys.house import House
from tests.journeys.two import answers, opens, paired, shares

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORDS = "I sat in the car for ten minutes before I could come in."


async def test_eight_lines_are_told_once_and_then_on_request(house: House) -> None:
    alice, bob = await paired(house)
    for number in range(8):
        shared = await shares(alice, f"{WORDS} {number}")
        if number == 0:
            assert "Laughed at" not in shared.labels, "off until she says yes"
            await alice.taps("What do I expect?")
            await alice.taps("Yes, ask me")
            await alice.hears("what do you expect?")
        await alice.taps("Laughed at" if number < 5 else "It's fine")
        await alice.hears("Noted, for you alone.")
        opened = await opens(bob, house)
        assert "expect" not in opened.text
        alice._acts()
        await answers(bob, house, "That makes sense to me")
        await alice.hears("says:")
        await alice.taps("What came?")
        await alice.hears("And what came?")
        await alice.taps("Advice" if number == 0 else "It's fine")
        noted = await alice.hears("Noted, for you alone.")
        assert ("worst" in noted.text) == (number == 7)
        house.telegram.advance(days=1)
    assert "8 lines so far. 5 times you expected the worst. 1 time it came." in noted.text
    assert not any("expect" in seen.text or "worst" in seen.text for seen in bob.sees)
    columns = house.stored("SELECT expected, came FROM expectations")
    assert len({len(each) for row in columns for each in row}) == 1, "as long for one as for the other"
