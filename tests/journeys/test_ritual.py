"""The Ritual, as two people live it: proposed, agreed, put in, delivered to both at one moment, ended."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.ritual import asks_at
from bot.i18n import say_in
from tests.journeys.house import House, until
from tests.journeys.two import paired, tells
from tests.standin import Person, Seen

pytestmark = pytest.mark.asyncio(loop_scope="module")

ANNOUNCED = "It's your weekly moment: "
MORNING = "You can put in a line of the week, a new one, or nothing."


async def agreed(house: House, *, ahead: int = 0, hour: str = "20:00") -> tuple[Person, Person]:
    """Two people with a Ritual on the weekday this many days ahead; it is morning now."""
    alice, bob = await paired(house)
    await proposes(alice, say_in("en").weekday((house.telegram.now + timedelta(days=ahead)).date()), hour)
    await bob.hears("proposes a weekly moment for you two")
    await bob.taps("Yes")
    await bob.hears("Agreed with")
    await alice.hears("Agreed with")
    return alice, bob


async def proposes(alice: Person, day: str, hour: str) -> Seen:
    await alice.says("/ritual")
    await alice.taps("Propose one")
    await alice.hears("On which day?")
    await alice.taps(day)
    await alice.hears("Tap the hour, by your clock.")
    await alice.taps(hour)
    return await alice.hears("Proposed to")


async def writes(person: Person, words: str, terms: str, wish: str = "Just listen") -> Seen:
    """Put a new line in, from the morning's message."""
    await person.taps("A new one")
    await person.hears("Write it in one line.")
    await person.says(words)
    preview = await person.hears("would see these words")
    assert words in preview.text
    await person.taps(wish)
    assert words in (await person.hears("Should it go either way")).text
    await person.taps(terms)
    return await person.hears("It's in.")


async def opens(person: Person) -> str:
    announced = await person.waits_for(lambda seen: ANNOUNCED in seen.text and "Open" in seen.labels)
    await person.taps("Open", announced)
    return (await person.waits_for(lambda seen: bool(seen.spoilers()), what="words")).spoilers()[0]


def announcements(person: Person) -> list[Seen]:
    return [seen for seen in person.sees if ANNOUNCED in seen.text]


def moment(house: House, alice: Person) -> datetime:
    """The next moment of the Ritual that Alice has proposed."""
    ((at,),) = house.stored("SELECT next_at FROM rituals WHERE proposer_id = ?", alice.id)
    return datetime.fromtimestamp(at / 1000, UTC)


def to_moment(house: House, alice: Person) -> datetime:
    """Move the clock to it."""
    at = moment(house, alice)
    house.telegram.move_to(at + timedelta(seconds=1))
    return at


async def test_both_hear_at_one_moment(house: House) -> None:
    alice, bob = await agreed(house)
    for person in (alice, bob):
        await person.hears(MORNING)  # the day has begun: both are asked at once
    await writes(alice, "I was afraid of the dentist.", "Only if there is one from them too")
    await writes(bob, "I kept your note.", "Either way")
    house.telegram.move_to(moment(house, alice) - timedelta(seconds=30))
    await alice.says("/help")
    await alice.hears("One small question a day, one line back. It")
    assert not announcements(alice)
    assert not announcements(bob)
    to_moment(house, alice)
    assert await opens(alice) == "I kept your note."
    assert await opens(bob) == "I was afraid of the dentist."
    ((one,), (other,)) = house.stored(
        "SELECT due_at FROM reflections WHERE user_id IN (?, ?) AND ritual = 1", alice.id, bob.id
    )
    assert one == other


async def test_unmatched_entry_stays_private(house: House) -> None:
    alice, bob = await agreed(house)
    await alice.hears(MORNING)
    await bob.hears(MORNING)
    await writes(alice, "Only if you too.", "Only if there is one from them too")
    await bob.taps("Nothing this time")
    await bob.hears("nothing is said about it")
    quiet = {person: [(seen.message_id, seen.text, seen.buttons) for seen in person.sees] for person in (alice, bob)}
    to_moment(house, alice)
    states = "SELECT state, words IS NULL FROM reflections WHERE user_id = ?"
    await until(lambda: house.stored(states, alice.id) == [("lapsed", 1)], "it has lapsed")
    await house.caught_up()
    for person, seen_before in quiet.items():
        assert [(seen.message_id, seen.text, seen.buttons) for seen in person.sees] == seen_before
    assert await house.lines(alice) == ["Only if you too."]


async def test_either_way_goes_out_alone(house: House) -> None:
    alice, bob = await agreed(house)
    await alice.hears(MORNING)
    await writes(alice, "Either way, then.", "Either way")
    to_moment(house, alice)
    assert await opens(bob) == "Either way, then."
    assert not announcements(alice)


async def test_weekly_line_joins_and_leaves(house: House) -> None:
    alice, bob = await agreed(house)
    await tells(alice, 'The dog waited <b>&" at the door.')
    await alice.says("/ritual")
    await alice.taps("Put something in")
    await alice.hears(MORNING)
    await alice.taps("A line from this week")
    choice = await alice.hears("Which one?")
    await alice.taps(next(label for label in choice.labels if "The dog waited" in label))
    await alice.hears("would see these words")
    await alice.taps("Ask me about it later")
    await alice.taps("Either way")
    await alice.hears("It's in.")
    await alice.says("/ritual")
    shown = await alice.hears("Your weekly moment with")
    assert 'You have put this in:\nThe dog waited <b>&" at the door.' in shown.text
    await alice.taps("Take it out")
    await alice.hears("Nothing of yours is in")
    to_moment(house, alice)
    await until(
        lambda: (
            house.stored("SELECT next_at FROM rituals WHERE proposer_id = ?", alice.id)
            > [(int(house.telegram.now.timestamp() * 1000),)]
        ),
        "the moment is over",
    )
    assert not announcements(bob)


async def test_ritual_asks_each_week(house: House) -> None:
    alice, bob = await agreed(house, ahead=2, hour="19:00")
    first = moment(house, alice)
    for week in ("first", "second"):
        morning = asks_at(moment(house, alice), "Europe/Lisbon")
        house.telegram.move_to(morning - timedelta(seconds=30))
        asked = len([seen for seen in alice.sees if MORNING in seen.text])
        await alice.says("/ritual")
        assert "Put something in" not in (await alice.hears("Your weekly moment with")).labels
        assert len([seen for seen in alice.sees if MORNING in seen.text]) == asked
        house.telegram.move_to(morning + timedelta(seconds=1))
        assert "today at 19:00" in (await alice.hears(MORNING)).text
        await bob.hears(MORNING)
        await writes(bob, f"The {week} week.", "Either way")
        to_moment(house, alice)
        assert await opens(alice) == f"The {week} week."
    assert moment(house, alice) - first in (timedelta(days=14, hours=hours) for hours in (-1, 0, 1))


async def test_each_sees_their_own_clock(house: House) -> None:
    alice, bob = await paired(house, alice={"city": "Accra"}, bob={"city": "Tokyo"})
    assert "Sunday at 20:00" in (await proposes(alice, "Sunday", "20:00")).text
    asked = await bob.hears("proposes a weekly moment")
    assert "every Monday at 05:00 by your clock" in asked.text
    await bob.taps("Yes")
    assert "every Monday at 05:00" in (await bob.hears("Agreed with")).text
    assert "every Sunday at 20:00" in (await alice.hears("Agreed with")).text


async def test_no_stays_private_and_reversible(house: House) -> None:
    alice, bob = await paired(house)
    await proposes(alice, "Sunday", "20:00")
    await bob.hears("proposes a weekly moment")
    await alice.says("/ritual")
    before = (await alice.hears("Proposed to")).text
    await bob.taps("No")
    await bob.hears("nobody is told")
    await alice.says("/ritual")
    assert (await alice.hears("Proposed to")).text == before
    await bob.says("/ritual")
    await bob.hears("proposes a weekly moment")
    await bob.taps("Yes")
    await alice.hears("Agreed with")


async def test_withdrawn_proposal_is_gone(house: House) -> None:
    alice, bob = await paired(house)
    await proposes(alice, "Sunday", "20:00")
    asked = await bob.hears("proposes a weekly moment")
    await alice.taps("Take it back")
    await alice.hears("There is no weekly moment now.")
    await bob.taps("Yes", asked)
    await bob.hears("You have no weekly moment yet.")
    assert not house.stored("SELECT 1 FROM rituals WHERE proposer_id = ? AND state <> 'taken_back'", alice.id)


async def test_ended_ritual_keeps_entries_private(house: House) -> None:
    alice, bob = await agreed(house)
    await bob.hears(MORNING)
    await writes(bob, "It stays here.", "Either way")
    at = moment(house, alice)
    await alice.says("/ritual")
    await alice.taps("End it")
    await alice.hears("you can still share lines")
    seen_by_bob = [(seen.message_id, seen.text) for seen in bob.sees]
    await alice.taps("End it now")
    await alice.hears("There is no weekly moment now.")
    house.telegram.move_to(at + timedelta(seconds=1))
    await house.caught_up()
    assert [(seen.message_id, seen.text) for seen in bob.sees] == seen_by_bob
    assert not announcements(alice)
    await bob.taps("Take it out")
    await bob.hears("There is no weekly moment to put it in. It stays private.")
    assert house.stored("SELECT a FROM pairs WHERE a = ?", alice.id)


async def test_ritual_ends_with_the_pair(house: House) -> None:
    alice, bob = await agreed(house)
    await alice.hears(MORNING)
    await writes(alice, "It stays here too.", "Either way")
    at = moment(house, alice)
    await bob.says("/unpair")
    await bob.taps("End it now")
    await bob.hears("Sharing has ended.")
    house.telegram.move_to(at + timedelta(seconds=1))
    await alice.says("/ritual")
    await alice.hears("Sharing has ended.")
    assert not announcements(bob)
    assert not house.stored("SELECT 1 FROM ritual_seats WHERE user_id IN (?, ?)", alice.id, bob.id)


async def test_charlie_cannot_use_their_ids(house: House) -> None:
    alice, bob = await agreed(house)
    await alice.hears(MORNING)
    await writes(alice, "For Bob alone.", "Either way")
    charlie = await house.settled("Charlie")
    mark = await charlie.says("/help")
    await charlie.hears("One small question a day, one line back. It")
    ((ritual_id,),) = house.stored("SELECT id FROM rituals WHERE proposer_id = ?", alice.id)
    ((reflection_id,),) = house.stored("SELECT id FROM reflections WHERE user_id = ?", alice.id)
    ((line_id,),) = house.stored("SELECT id FROM lines WHERE user_id = ?", alice.id)
    before = house.stored("SELECT * FROM rituals") + house.stored("SELECT * FROM ritual_seats")
    for data in (
        *(f"{action}:{ritual_id}" for action in ("rit_yes", "rit_yes_same", "rit_no", "rit_ask_end", "rit_end")),
        f"rit_line:{line_id}",
        f"rit_out:{reflection_id}",
        f"rit_in:either.{reflection_id}",
        f"rit_wish:listen.{reflection_id}",
        *(
            "rit_show:",
            "rit_days:",
            "rit_days:same",
            "rit_days:x",
            "rit_day:3",
            "rit_hour:3.20",
            "rit_hour:9.99",
            "rit_hour:x",
            "rit_in:x.1",
        ),
        *("rit_open:", "rit_lines:", "rit_write:", "rit_none:"),
    ):
        await charlie.taps_data(mark + 1, f"v1:{data}")
        await charlie.answered()
    assert house.stored("SELECT * FROM rituals") + house.stored("SELECT * FROM ritual_seats") == before
    assert not any("Alice" in seen.text or "For Bob" in seen.text for seen in charlie.sees)
    await bob.taps_data(bob.last, f"v1:rit_out:{reflection_id}")  # the partner can't either, with the other one's id
    await bob.answered()
    to_moment(house, alice)
    assert await opens(bob) == "For Bob alone."


async def test_same_question_reaches_both(house: House) -> None:
    alice, bob = await paired(house)
    await alice.says("/ritual")
    await alice.taps("One with a question for both")
    await alice.taps(say_in("en").weekday(house.telegram.now.date()))
    await alice.taps("20:00")
    await alice.hears("You have also proposed the same question for both")
    await bob.hears("you each get the same question that morning")
    await bob.taps("Yes, with the question")
    await bob.hears("Both of you get the same question beforehand.")
    hers, his = [await person.hears("A question for you both, if you like:") for person in (alice, bob)]
    (question,) = hers.marked("bold")
    assert his.marked("bold") == [question]

    assert "Something I noticed" in hers.labels
    await alice.taps("Answer it", hers)
    assert question in (await alice.hears("Write it in one line.")).text
    await alice.says("At the harbour, in the rain.")
    preview = await alice.hears("would see these words")
    assert question in preview.text
    await alice.taps("Just listen")
    await alice.hears("Should it go either way")
    await alice.taps("Either way")
    await alice.hears("It's in.")
    assert not [seen for seen in bob.sees if "harbour" in seen.text]
