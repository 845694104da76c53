"""A pause, a snoozed question, a reminder, and what the bot does on its own when somebody is silent or has a habit."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.journeys.house import House, is_question, question_of, questions, until
from tests.standin import Person, Seen

pytestmark = pytest.mark.asyncio(loop_scope="module")

DAY = timedelta(days=1)


def hears_again(seen: Seen) -> bool:
    """Return a question with something said before it."""
    return seen.by_bot and "Not today" in seen.labels and "\n\n" in seen.text


def next_ask(house: House, person: Person) -> datetime:
    ((due,),) = house.stored("SELECT next_ask_at FROM users WHERE id = ?", person.id)
    return datetime.fromtimestamp(due / 1000, UTC)


async def answers(person: Person, words: str = "As usual.") -> None:
    await person.says(words)
    await person.hears("Kept, and shown to nobody.")


# --- the pause


@pytest.mark.parametrize(("choice", "days"), [("Three days", 3), ("A week", 7)])
async def test_pause_end_is_said_once(house: House, choice: str, days: int) -> None:
    alice, bob = await house.settled(), await house.settled("Bob")
    today = house.telegram.now.date()
    await alice.says("/pause")
    await alice.taps(choice)
    back = (today + days * DAY).strftime("%A" if days < 7 else "%A, %B %-d")
    paused = await alice.hears(f"The next question comes {back} at 20:30.")
    assert "nobody can tell" in paused.text
    await house.moves_on(bob, hours=11, minutes=31)
    await house.moves_on(bob, days=days - 1)
    assert not questions(alice)
    alice._acts()
    house.telegram.advance(days=1)
    await alice.waits_for(hears_again, what="a question that says that the pause is over")
    assert alice.last.text.startswith("Your pause is over. Nothing has piled up.\n\n")
    assert house.asks(alice) == [(today.isoformat(), "left"), ((today + days * DAY).isoformat(), "open")]
    await answers(alice)
    await house.moves_on(alice, bob, days=1)
    assert "pause" not in alice.last.text, "it says so once"


@pytest.mark.parametrize(
    ("language", "typed"),
    [
        ("en", ["{0:%Y-%m-%d}", "{0.day} {0:%b}", "{0:%B} {0.day}", "in 5 days", "{0:%A}", "{0:%d/%m}"]),
        (
            "de",
            ["{0:%Y-%m-%d}", "{0.day}.{0.month}.", "in fünf Tagen", "{0.day}. März", "bis zum {0.day}.3.", "Samstag"],
        ),
    ],
)
async def test_pause_date_is_tapped_or_typed(house: House, language: str, typed: list[str]) -> None:
    house.telegram.move_to(datetime(house.telegram.now.year + 1, 3, 1, 9, 0, tzinfo=UTC))
    alice = await house.settled()
    await alice.speaks(language)
    until, date_, change = (
        ("Until a date", "On which day should the questions come again?", "Change it")
        if language == "en"
        else ("Bis zu einem Tag", "An welchem Tag sollen die Fragen wiederkommen?", "Ändern")
    )
    day = house.telegram.now.date() + 5 * DAY

    def paused_until() -> list[tuple[str]]:
        return house.stored("SELECT paused_until FROM users WHERE id = ?", alice.id)

    for pattern in typed:
        text = _weekday(day, language) if pattern in {"Samstag", "{0:%A}"} else pattern.format(day)
        await alice.says("/resume")
        await alice.says("/pause")
        await alice.taps(until)
        await alice.hears(date_)
        await alice.says(text)
        await alice.waits_for(lambda seen: change in seen.labels, what=f"a pause until {text!r}")
        assert paused_until() == [(day.isoformat(),)], text
    await alice.taps(change)
    await alice.taps(until)
    calendar = await alice.hears(date_)
    assert len(calendar.buttons[1]) == 7
    await alice.taps("›")
    await alice.waits_for(lambda seen: seen.message_id == calendar.message_id, what="the next month")
    await alice.taps("15")
    await alice.waits_for(lambda seen: change in seen.labels, what="a pause until the 15th")
    assert paused_until() == [(f"{day:%Y}-04-15",)]


def _weekday(day: date, language: str) -> str:
    german = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")
    return german[day.weekday()] if language == "de" else f"{day:%A}"


async def test_past_date_is_queried(house: House) -> None:
    alice = await house.settled()
    await alice.says("/pause")
    await alice.taps("Until a date")
    for typed in ("yesterday", "today", "2020-01-01", "in 400 days", "31 February"):
        await alice.says(typed)
        again = await alice.hears("I need a day from tomorrow on, within a year.")
        assert "Back" in again.labels
    await alice.says("/settings")
    assert "The next question comes today at 20:30." in (await alice.hears("Settings")).text


async def test_settings_pause_leads_back(house: House) -> None:
    alice = await house.settled()
    await alice.says("/settings")
    settings = await alice.hears("Settings")
    await alice.taps("Pause")
    await alice.taps("Until I say so")
    paused = await alice.hears("Paused.")
    assert paused.message_id == settings.message_id
    await alice.taps("Back")
    seen = await alice.hears("You're paused. /resume ends it.")
    assert seen.message_id == settings.message_id
    await alice.taps("Pause")
    await alice.hears("For how long?")
    await alice.taps("Back")
    await alice.hears("You're paused.")
    await alice.taps("Resume")
    await alice.hears("Nothing has piled up.")


# --- snoozing, and the reminder


async def test_open_question_gets_one_reminder(house: House) -> None:
    names = ("Alice", "Bob", "Carol", "Dora", "Emil", "Fritz")
    people = await asyncio.gather(*(house.settled(name, hour="12:00") for name in names))
    alice, bob, carol, dora, emil, fritz = people
    for person in people[:-1]:
        await person.says("/settings")
        await person.taps("Reminder")
        await person.taps("Turn it on")
        await person.hears("It is on.")
    await house.moves_on(*people, hours=3, minutes=1)
    await answers(bob)
    await carol.taps("Not today")
    await carol.hears("All right, not today.")
    await dora.taps("Later")
    await dora.taps("In an hour")
    await dora.hears("I'll come back with it today at 13:")
    await emil.says("/pause")
    await emil.taps("Until I say so")
    await emil.hears("Paused.")
    house.telegram.advance(hours=1, minutes=1)
    await dora.waits_for(is_question, what="what was put off")
    alice._acts()
    house.telegram.advance(hours=1)
    reminder = await alice.waits_for(hears_again, what="a reminder")
    assert reminder.text.startswith("Still here, in case you want it.\n\n")
    await emil.says("/resume")
    await emil.hears("Nothing has piled up.")
    house.telegram.advance(hours=3)
    await fritz.says("/help")
    await fritz.hears("One small question a day, one line back. It")
    await answers(alice, "After all.")

    def reminded() -> list[int]:
        return [sum(hears_again(seen) for seen in person.sees) for person in people]

    assert reminded() == [1, 0, 0, 0, 0, 0]
    await house.moves_on(alice, bob, carol, dora, fritz, hours=19)
    assert len(questions(dora)) == 2
    assert [state for _, state in house.asks(dora)] == ["left", "open"]


async def test_snooze_keeps_the_next_days_question(house: House) -> None:
    alice = await house.settled(hour="23:30")
    question = await house.moves_on(alice, hours=14, minutes=31)
    await alice.says("/snooze")
    await alice.hears("When should I ask again?")
    await alice.taps("In an hour")
    await alice.hears("I'll come back with it tomorrow at 00:3")
    again = await house.moves_on(alice, hours=1, minutes=1)
    assert question_of(again) == question_of(question)
    await answers(alice)
    following = await house.moves_on(alice, hours=23)
    assert question_of(following) != question_of(question)
    assert [state for _, state in house.asks(alice)] == ["answered", "open"]


async def test_late_snooze_says_so(house: House) -> None:
    """It would come after the next question, which takes its place, so the bot doesn't promise it."""
    alice = await house.settled()
    await house.moves_on(alice, hours=11, minutes=31)
    house.telegram.advance(hours=23, minutes=45)
    await alice.taps("Later")
    await alice.hears("today at 20:30")


# --- on its own


async def test_silence_slows_and_activity_revives(house: House) -> None:
    alice, bob = await house.settled(), await house.settled("Bob")
    await house.moves_on(alice, hours=11, minutes=31)
    for _ in range(6):
        await house.moves_on(alice, days=1)
    alice._acts()
    house.telegram.advance(DAY)
    slowed = await alice.waits_for(hears_again, what="the eighth question")
    assert slowed.text.startswith("A week without a line, which is fine. From now on I ask once a week.")
    assert slowed.labels[-1] == "Ask me daily again"
    asked = house.telegram.now
    await until(lambda: next_ask(house, alice) > asked + 6 * DAY, "a week later")
    await house.moves_on(alice, days=7)
    await house.moves_on(alice, days=7)
    alice._acts()
    house.telegram.advance(7 * DAY)
    last = await alice.waits_for(hears_again, what="the last question")
    assert last.text.startswith("This is the last question for now. After it I'm quiet until you write.")
    count = len(house.asks(alice))
    bob._acts()
    house.telegram.advance(30 * DAY)
    await bob.says("/help")
    await bob.hears("One small question a day, one line back. It")
    await until(lambda: house.stored("SELECT rhythm FROM users WHERE id = ?", alice.id) == [("quiet",)], "quiet")
    assert len(house.asks(alice)) == count
    await alice.says("/settings")
    assert "The next question comes" in (await alice.hears("Settings")).text
    assert next_ask(house, alice) - house.telegram.now < DAY
    await house.moves_on(alice, days=1)
    await house.moves_on(alice, days=1)


async def test_one_tap_brings_daily_back(house: House) -> None:
    alice = await house.settled()
    await house.moves_on(alice, hours=11, minutes=31)
    for _ in range(6):
        await house.moves_on(alice, days=1)
    alice._acts()
    house.telegram.advance(DAY)
    await alice.waits_for(hears_again, what="the eighth question")
    await alice.taps("Ask me daily again")
    await alice.hears("A question a day again. The next one comes tomorrow at 20:30.")
    await house.moves_on(alice, days=1)


async def test_habit_and_ease_get_offers(house: House) -> None:
    """After seven answers one step deeper, after ten the hour at which they come; a no is remembered."""
    house.telegram.move_to(datetime(house.telegram.now.year + 1, 1, 10, 9, 0, tzinfo=UTC))  # far from summer time
    alice, bob = await house.settled(hour="10:00"), await house.settled("Bob", hour="10:00")
    heard: dict[str, list[str]] = {"Alice": [], "Bob": []}
    house.telegram.advance(hours=1, minutes=1)
    for number in range(1, 14):
        for person in (alice, bob):
            await until(lambda: len(questions(person)) == number, f"question {number}")  # noqa: B023
        house.telegram.advance(hours=3)
        for person in (alice, bob):
            await answers(person)
        house.telegram.advance(seconds=3)
        for person in (alice, bob):
            if number in (7, 10):
                offer = await person.hears("I won't bring")
                heard[person.name].append(offer.text.partition(".")[0])
                if person is bob:
                    await person.taps("Stay here" if number == 7 else "Stay at 10:00")
                    await person.hears("It stays as it is.")
                elif number == 7:
                    await person.taps("One notch deeper")
                    await person.hears("One notch deeper, from the next question on.")
                else:
                    await person.taps("Ask at 13:00")
                    moved = await person.hears("Moved. The next question comes")
                    assert "tomorrow at 13:00" in moved.text
        house.telegram.advance(timedelta(days=1, hours=-3, seconds=-3))
        if number == 10:  # from now on they are asked at different hours
            house.telegram.advance(hours=3, minutes=5)
    for person in (alice, bob):
        offers = [seen for seen in person.sees if "I won't bring" in seen.text or "It stays as it is" in seen.text]
        assert len(offers) <= 2
        assert len(heard[person.name]) == 2
    assert house.stored("SELECT depth, ask_at FROM users WHERE id = ?", alice.id) == [(2, "13:00")]
    assert house.stored("SELECT depth, ask_at FROM users WHERE id = ?", bob.id) == [(1, "10:00")]


async def test_nothing_to_put_off_is_said(house: House) -> None:
    alice, _ = await house.asked()
    await alice.taps("Not today")
    await alice.hears("not today")
    await alice.says("/snooze")
    await alice.hears("No question is open right now.")
