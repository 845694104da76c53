"""The recap: the words of eight weeks as a picture, at any time and on Sundays, until that isn't wanted."""

import re
from datetime import datetime, timedelta

import pytest

from tests.journeys.house import House
from tests.standin import Person, Seen

pytestmark = pytest.mark.asyncio(loop_scope="module")

WEEK = r"\w{3} \d+: heavy"


def sunday_after(now: datetime) -> datetime:
    """Return six in the evening of the next Sunday, when every recap of the day has come."""
    return now.replace(hour=18, minute=0) + timedelta(days=6 - now.weekday())


def shows_picture(house: House, seen: Seen) -> bool:
    (photo,) = seen.content["photo"]
    return photo["width"] == 960 and house.telegram.world.files[photo["file_id"]].content.startswith(b"\x89PNG")


async def named(house: House) -> Person:
    alice, _ = await house.told()
    await alice.taps("Name the feeling")
    await alice.taps("Heavy")
    await alice.taps("Just “heavy”")
    await alice.hears("Your word for it: heavy")
    return alice


async def test_requested_picture_matches_its_text(house: House) -> None:
    alice, _ = await house.told()
    await alice.says("/recap")
    seen = await alice.hears("No word was put to them, and none is needed.")
    assert shows_picture(house, seen)
    await alice.taps("Name the feeling")
    await alice.taps("Heavy")
    await alice.taps("Just “heavy”")
    await alice.hears("Your word for it: heavy")
    await alice.says("/recap")
    seen = await alice.hears("Your words of the last eight weeks")
    assert shows_picture(house, seen)
    assert re.fullmatch(WEEK, seen.text.splitlines()[-1])
    assert (seen.buttons, seen.spoilers()) == ([], []), "who asks for it sees it"


async def test_recap_comes_on_sundays_until_declined(house: House) -> None:
    alice = await named(house)
    await house.moves_on(alice, hours=35, minutes=31)
    alice._acts()
    await house.telegram.fault("sendPhoto", "502")
    house.telegram.move_to(sunday_after(house.telegram.now))
    seen = await alice.hears("This comes on Sundays")
    assert shows_picture(house, seen)
    (covered,) = seen.spoilers()
    assert re.fullmatch(WEEK, covered), "nobody beside them reads it along"
    assert seen.content["has_media_spoiler"]
    assert seen.labels == ["Not on Sundays"]
    await alice.taps("Not on Sundays")
    stopped = await alice.hears("it won't come by itself")
    assert stopped.message_id != seen.message_id, "the picture stays"
    await alice.says("/settings")
    await alice.hears("Weekly recap: off")


async def test_failed_picture_is_sent_again(house: House) -> None:
    alice = await named(house)
    await house.telegram.fault("sendPhoto", "502")
    await alice.says("/recap")
    assert shows_picture(house, await alice.hears(": heavy"))
