"""A text typed under an opened line, in any of ten ways, never becomes the typist's own line unasked."""

from collections.abc import Awaitable, Callable

import pytest

from tests.journeys.house import House, is_question
from tests.journeys.two import answers, opens, paired, shares, tells
from tests.standin import Person, Seen

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORDS = "I sat in the car for ten minutes before I could come in."
OWN = "The gate needs paint."
Typing = Callable[[House, Person, Seen], Awaitable[None]]


async def plainly(_: House, bob: Person, __: Seen) -> None:
    await bob.says("I wondered where you were.")


async def as_a_reply(house: House, bob: Person, words: Seen) -> None:
    house.telegram.advance(days=3)
    await bob.says("I wondered where you were.", reply_to=words)


async def with_a_question_open(_: House, bob: Person, __: Seen) -> None:
    await bob.says("/today")
    await bob.waits_for(is_question)
    await bob.says("Ten minutes is long.")


async def twice(_: House, bob: Person, __: Seen) -> None:
    await bob.says("I wondered where you were.")
    await bob.says("And I was cross, too.")


async def too_long(_: House, bob: Person, __: Seen) -> None:
    await bob.says("z" * 301)


async def like_a_time(_: House, bob: Person, __: Seen) -> None:
    await bob.says("tomorrow at eight")


async def an_emoji(_: House, bob: Person, __: Seen) -> None:
    await bob.says("❤")


async def edited(_: House, bob: Person, __: Seen) -> None:
    typed = await bob.says("I wonderd.")
    await bob.hears("Send this to")
    await bob.edits(typed, "I wondered.")


async def after_an_answer(house: House, bob: Person, _: Seen) -> None:
    await answers(bob, house, "Thank you for telling me")
    await bob.says("/today")
    await bob.waits_for(is_question)
    await bob.says("And I mean that.")


async def while_a_line_was_being_changed(_: House, bob: Person, __: Seen) -> None:
    """Bob tapped *Change* under a line of his before he opened hers: it isn't hers to change it."""
    await bob.says("It wasn't about you.")


WAYS = (
    *(plainly, as_a_reply, with_a_question_open, twice, too_long, like_a_time, an_emoji, edited, after_an_answer),
    while_a_line_was_being_changed,
)


@pytest.mark.parametrize("types", WAYS, ids=lambda way: way.__name__)
async def test_text_below_a_line_is_queried(house: House, types: Typing) -> None:
    alice, bob = await paired(house)
    if types is while_a_line_was_being_changed:
        await tells(bob, OWN)
    await shares(alice, WORDS)
    if types is while_a_line_was_being_changed:
        await bob.taps("Change")
        await bob.hears("Send it the way you want it.")
    before = await house.lines(bob)
    words = await opens(bob, house)
    alice._acts()
    await types(house, bob, words)
    asked = await bob.waits_for(lambda seen: "Keep it as my line" in seen.labels)
    assert "or keep it as your line?" in asked.text or "a line of your own?" in asked.text
    assert await house.lines(bob) == before
    assert types is after_an_answer or not alice.new
