"""Fear, then fact: asked only of those who have said yes once, and told to nobody else."""

import pytest

from tests.journeys.house import QUESTIONS, House
from tests.journeys.two import answers, opens, paired, shares
from tests.standin import Seen

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORDS = "I sat in the car for ten minutes before I could come in."


def besides_questions(seen: Seen) -> str:
    """Return what a message says besides questions of the library, which may be about what somebody expects."""
    text = seen.text
    for question in QUESTIONS:
        text = text.replace(question, "")
    return text


async def test_eight_lines_are_summed_up_once(house: House) -> None:
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
        assert "expect" not in besides_questions(opened)
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
    assert not any(word in besides_questions(seen) for seen in bob.sees for word in ("expect", "worst"))
    columns = house.stored("SELECT expected, came FROM expectations")
    assert len({len(each) for row in columns for each in row}) == 1, "as long for one as for the other"


async def test_what_was_expected_is_not_asked_once_the_answer_is_there(house: House) -> None:
    alice, bob = await paired(house)
    offered = await shares(alice, WORDS)
    await alice.taps("What do I expect?")
    explained = await alice.hears("One tap before a line goes out")
    await opens(bob, house)
    alice._acts()
    await answers(bob, house, "That makes sense to me")
    await alice.hears("says:")
    for label, message in (("What do I expect?", offered), ("Yes, ask me", explained)):
        await alice.taps(label, message)
        shown = await alice.hears("says:")
        assert "That makes sense to me" in shown.text
