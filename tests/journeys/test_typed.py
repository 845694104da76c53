"""What people type when the bot asks for a time, a day, a place or a code, and what it says it understood."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.journeys.house import House, until
from tests.journeys.two import paired, shares, tells
from tests.standin import Person, Seen

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def wants_time(house: House) -> Person:
    """Somebody with a Line who is asked when it shall go out, on a Monday in winter at 16:28 by their clock."""
    alice, _ = await paired(house)
    monday = datetime(house.telegram.now.year + 1, 1, 8, 16, 28, tzinfo=UTC)
    house.telegram.move_to(monday - timedelta(days=monday.weekday()))
    await tells(alice, "It was a long week.")
    await alice.taps("Share…")
    await alice.taps("Just listen")
    await alice.hears("When should it go out?")
    return alice


def due(house: House, person: Person) -> list[str]:
    """When this person's Reflections go out, in UTC, which equals Lisbon's clock in winter."""
    found = house.stored("SELECT due_at FROM reflections WHERE user_id = ? AND due_at IS NOT NULL", person.id)
    return [f"{datetime.fromtimestamp(at / 1000, UTC):%a %H:%M}" for (at,) in found]


@pytest.mark.parametrize(
    ("typed", "said", "at"),
    [
        ("tonight", "Set for today at 20:30", "Mon 20:30"),
        ("tomorrow morning 👍", "Set for tomorrow at 08:00", "Tue 08:00"),
        ("Freitagabend", "Set for Friday at 20:30", "Fri 20:30"),
        ("at 18:30 please", "Set for today at 18:30", "Mon 18:30"),
        ("heute um halb neun", "Set for today at 20:30", "Mon 20:30"),
        ("Wednesday evening at 9", "Set for Wednesday at 21:00", "Wed 21:00"),
    ],
)
async def test_time_is_typed_below_offers(house: House, typed: str, said: str, at: str) -> None:
    alice = await wants_time(house)
    await alice.says(typed)
    await alice.hears(said)
    assert due(house, alice) == [at]
    assert await house.lines(alice) == ["It was a long week."]


async def test_relative_time_is_typed(house: House) -> None:
    alice = await wants_time(house)
    now = house.telegram.now
    await alice.says("in 2 hours")
    await alice.hears("Set for today at 18:")
    assert due(house, alice) in ([f"Mon {now + timedelta(hours=2, minutes=n):%H:%M}"] for n in (0, 1, 2))


async def test_text_without_time_is_a_line(house: House) -> None:
    alice = await wants_time(house)
    await alice.says("The dog")
    await alice.hears("There is a line to this question already")
    assert not due(house, alice)


async def test_offered_times_remain_typable(house: House) -> None:
    alice = await wants_time(house)
    for line in ("The dog", "and the cat"):
        await alice.says(line)
        await alice.hears("There is a line to this question already")
    await alice.says("tonight")
    await alice.hears("Set for today at 20:30")
    assert due(house, alice) == ["Mon 20:30"]


@pytest.mark.parametrize("typed", ["25:30", "later today", "maybe 8pm", "some Friday"])
async def test_unclear_time_is_queried(house: House, typed: str) -> None:
    alice = await wants_time(house)
    await alice.says(typed)
    await alice.hears("I couldn't read a time in that.")
    await alice.says("kl. 20.30")
    await alice.hears("Set for today at 20:30")
    assert await house.lines(alice) == ["It was a long week."]


async def test_ambiguous_time_is_asked_back(house: House) -> None:
    alice = await wants_time(house)
    await alice.taps("Another time…")
    await alice.hears("Which day?")
    await alice.says("8:30")
    which = await alice.hears("Which one do you mean?")
    assert which.labels[:2] == ["Today at 20:30", "Tomorrow at 08:30"]
    await alice.taps("Today at 20:30", which)
    await alice.hears("Set for today at 20:30")


async def test_offered_hours_belong_to_days(house: House) -> None:
    alice = await wants_time(house)
    await alice.taps("Another time…")
    day = house.telegram.now + timedelta(days=40)
    await alice.says(f"{day.day} {day:%B}")
    hours = await alice.hears(f"{day:%A}, {day:%B} {day.day}: at what time?")
    await alice.taps("20:00", hours)
    await alice.hears("Set for")
    assert due(house, alice) == [f"{day:%a} 20:00"]


async def test_earliest_is_a_button(house: House) -> None:
    alice = await wants_time(house)
    await alice.taps("Another time…")
    await alice.says("16:30")
    early = await alice.hears("The earliest is today at 16:3")
    house.telegram.advance(minutes=5)  # it takes a while to tap
    await alice.taps(early.labels[0], early)
    await alice.hears("Set for today at 16:4")


async def test_past_day_is_too_soon(house: House) -> None:
    alice = await wants_time(house)
    await alice.taps("Another time…")
    await alice.says("today at 6:15")
    await alice.taps("Change", await alice.hears("Set for today at 18:15"))
    await alice.taps("Another time", await alice.hears("Your wish"))
    await alice.taps("Another time…")
    await alice.hears("Which day?")
    await alice.says("today at 06:15")
    await alice.hears("The earliest is")
    await alice.says(f"24.12.{house.telegram.now.year + 3}")
    await alice.hears("That is more than a year away.")


# --- days with slashes -----------------------------------------------------------------------------------------------


async def pauses_until(house: House, tag: str, city: str, typed: str) -> tuple[Person, Seen]:
    house.telegram.move_to(datetime(house.telegram.now.year + 1, 3, 1, 9, 0, tzinfo=UTC))
    alice = await house.settled(city=city)
    await alice.speaks(tag)
    await alice.says("/pause")
    await alice.taps("Until a date")
    await alice.hears("On which day")
    await alice.says(typed)
    return alice, await alice.waits_for(lambda seen: "/" not in seen.text, what="an answer")


@pytest.mark.parametrize(
    ("tag", "city", "month"),
    [
        *(("en-US", "Berlin", 4), ("en-GB", "New York", 5), ("en", "New York", 4), ("en", "London, UK", 5)),
        *(("en", "Berlin", 5), ("fr", "Toronto", 5), ("ja", "Berlin", 4)),
    ],
)
async def test_slash_order_by_language_and_country(house: House, tag: str, city: str, month: int) -> None:
    alice, _ = await pauses_until(house, tag, city, "04/05")
    await until(lambda: house.stored("SELECT paused_until FROM users WHERE id = ?", alice.id)[0][0], "a pause")
    ((paused,),) = house.stored("SELECT paused_until FROM users WHERE id = ?", alice.id)
    assert paused[5:] == f"{month:02}-{9 - month:02}"


async def test_unknown_slash_order_is_asked_back(house: House) -> None:
    alice, _ = await pauses_until(house, "en", "Toronto, Canada", "04/05")
    which = await alice.hears("That can be two days.")
    assert [label.partition(", ")[2] for label in which.labels[:2]] == ["April 5", "May 4"]
    await alice.taps(which.labels[1], which)
    await alice.hears("Paused.")
    ((paused,),) = house.stored("SELECT paused_until FROM users WHERE id = ?", alice.id)
    assert paused[5:] == "05-04"


async def test_next_friday_on_thursday_is_queried(house: House) -> None:
    alice = await house.settled()
    while house.telegram.now.weekday() != 3:
        house.telegram.advance(days=1)
    await alice.says("/pause")
    await alice.taps("Until a date")
    await alice.says("next Friday")
    which = await alice.hears("That can be two days.")
    assert all(label.startswith("Friday, ") for label in which.labels[:2])
    await alice.taps(which.labels[1], which)
    await alice.hears("Paused.")
    ((paused,),) = house.stored("SELECT paused_until FROM users WHERE id = ?", alice.id)
    assert paused == (house.telegram.now + timedelta(days=8)).date().isoformat()


# --- a typo, corrected by editing the message -------------------------------------------------------------------------


async def test_edited_hour_and_city_count(house: House) -> None:
    alice = await house.consenting()
    hour = await alice.says("25:30")
    await alice.hears("I couldn't read that as a time.")
    await alice.edits(hour, "20:30")
    await alice.hears("What time is it for you now?")
    city = await alice.says("Lisbonnn")
    await alice.hears("I don't know that place.")
    await alice.edits(hour, "21:30")  # no clock of any zone: the hour is set
    await alice.edits(city, "Lisbon")
    await alice.hears("in Lisbon, Portugal. Is that your clock?")
    assert house.stored("SELECT ask_at FROM users WHERE id = ?", alice.id) == [("20:30",)]


async def test_edited_value_counts_while_awaited(house: House) -> None:
    alice, kept = await house.told()
    await alice.says("/time")
    typed = await alice.says("8 pn")
    await alice.hears("I couldn't read that as a time.")
    await alice.edits(typed, "8 pm")
    await alice.hears("From now on I ask at 20:00.")
    await alice.edits(typed, "9 pm")  # it is no longer awaited
    await alice.hears("Nothing is kept from that message.")
    await alice.says("/pause")
    await alice.taps("Until a date")
    day = await alice.says("the 45th")
    await alice.hears("I need a day")
    await alice.edits(day, "in 5 days")
    await alice.hears("Paused.")
    await alice.says("/join")
    code = await alice.says("K7QX-9M2")
    await alice.hears("That link or code leads nowhere.")
    await alice.edits(code, "K7QX-9M2P")
    await alice.hears("That link or code leads nowhere.")
    assert await house.lines(alice) == ["The dog waited at the door."]
    assert kept


async def test_edited_command_can_set_a_value(house: House) -> None:
    alice, _ = await house.asked()
    for command, answer, edited, answer_now in (
        ("/time 8pm", "From now on I ask at 20:00.", "/time 9pm", "From now on I ask at 21:00."),
        ("/tiem 7pm", "I don't know that command.", "/time 7pm", "From now on I ask at 19:00."),
        ("/quiet 22-6", "Now: 22:00 to 06:00.", "/quiet 23-6", "Now: 23:00 to 06:00."),
        ("/days weekends", "On the days with a tick", "/days mon-fri", "On the days with a tick"),
        ("/depth 3", "How deep may a question go?", "/depth 2", "How deep may a question go?"),
        ("/name Sma", "Name: Sma", "/name Sam", "Name: Sam"),
        (
            "/snooze 2 hours",
            "I'll come back with it today at 1",
            "/snooze tonight",
            "I'll come back with it today at 20:30",
        ),
        ("/pause a week", "Paused.", "/pause 2 weeks", "Paused."),
    ):
        sent = await alice.says(command)
        await alice.hears(answer)
        await alice.says("/help")  # whatever was awaited is dropped
        await alice.hears("One small question a day, one line back. It")
        await alice.edits(sent, edited)
        await alice.hears(answer_now)
    ((at, ceiling, quiet, days, until),) = house.stored(
        "SELECT ask_at, ceiling, quiet_from, days, paused_until FROM users WHERE id = ?", alice.id
    )
    assert (at, ceiling, quiet, days) == ("19:00", 2, "23:00", 0b0011111)
    assert until > (house.telegram.now + timedelta(days=8)).date().isoformat()
    assert await house.lines(alice) == []


async def test_other_edited_commands_do_nothing(house: House) -> None:
    alice, _ = await house.told()
    for command, answer, edited in (
        ("/resume", "You weren't paused", "/resume now"),
        ("/help", "One small question a day, one line back. It", "/today"),
        ("/today", "You have kept a line today.", "/erase"),
    ):
        sent = await alice.says(command)
        await alice.hears(answer)
        await alice.edits(sent, edited)
        await alice.hears(f"To have it done now, send it as a new one: {edited.split()[0]}")
    sent = await alice.says("/help")
    await alice.edits(sent, "/hepl")
    await alice.hears("I don't know that command.")
    assert await house.lines(alice) == ["The dog waited at the door."]


# --- typed instead of tapped, while the choices are on the screen -----------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("3 days", "Paused. The next question comes"),
        ("until Friday", "Paused. The next question comes Friday"),
        ("a week", "Paused. The next question comes"),
        ("until I say so", "Paused. I won't write by myself until you say so"),
        ("25.13.", "I need a day from tomorrow on"),
        ("the 45th", "I need a day from tomorrow on"),
    ],
)
async def test_pause_length_can_be_typed(house: House, typed: str, said: str) -> None:
    alice, _ = await house.asked()
    while house.telegram.now.weekday() in {3, 4}:
        house.telegram.advance(days=1)
    await alice.says("/pause")
    await alice.hears("For how long?")
    await alice.says(typed)
    await alice.hears(said)
    assert await house.lines(alice) == []


async def test_days_and_hours_can_be_typed(house: House) -> None:
    alice, _ = await house.asked()
    await alice.says("/settings")
    await alice.taps("Days")
    await alice.hears("On the days with a tick I ask.")
    await alice.says("Tue and Thu")
    await alice.hears("The next question comes T")
    await alice.says("Monday-ish")
    await alice.hears("I couldn't read that. Write the days like")
    await alice.says("/settings")
    await alice.taps("Quiet hours")
    await alice.hears("In your quiet hours I never write first.")
    await alice.says("21:30 to 8")
    await alice.hears("Now: 21:30 to 08:00.")
    await alice.says("25 to 7")
    await alice.hears("Write both hours")
    assert await house.lines(alice) == []
    assert house.stored("SELECT days, quiet_from FROM users WHERE id = ?", alice.id) == [(0b0001010, "21:30")]


async def test_answer_below_choices_stays(house: House) -> None:
    alice, _ = await house.asked()
    await alice.says("/pause")
    await alice.hears("For how long?")
    await alice.says("The dog waited at the door.")
    await alice.hears("Kept, and")
    bob, question = await house.asked("Bob")
    await bob.taps("Later", question)
    await bob.hears("When should I ask again?")
    await bob.says("The cat did not.")
    await bob.hears("Kept, and")
    assert await house.lines(alice) == ["The dog waited at the door."]
    assert await house.lines(bob) == ["The cat did not."]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("in 2 hours", "I'll come back with it today at"),
        ("tonight", "I'll come back with it today at 20:30"),
        ("21:15 please", "I'll come back with it today at 21:15"),
        ("tomorrow", "I'll come back with it tomorrow at 08:00"),
        ("morgen früh", "I'll come back with it tomorrow at 08:00"),
        ("25:30", "I need a time within a week."),
        ("24 December 2060", "I need a time within a week."),
    ],
)
async def test_snooze_time_can_be_typed(house: House, typed: str, said: str) -> None:
    alice, question = await house.asked()
    await alice.taps("Later", question)
    await alice.hears("When should I ask again?")
    await alice.says(typed)
    await alice.hears(said)
    assert await house.lines(alice) == []


async def test_edit_corrects_a_snooze(house: House) -> None:
    alice, question = await house.asked()
    await alice.taps("Later", question)
    await alice.hears("When should I ask again?")
    typed = await alice.says("25:15")
    await alice.hears("I need a time within a week.")
    await alice.edits(typed, "21:15")
    await alice.hears("I'll come back with it today at 21:15")
    assert await house.lines(alice) == []


async def test_times_answer_after_going_back(house: House) -> None:
    alice, question = await house.asked()
    await alice.taps("Later", question)
    await alice.taps("Back", await alice.hears("When should I ask again?"))
    await alice.says("Ten to four")
    await alice.hears("Kept, and")
    assert await house.lines(alice) == ["Ten to four"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("21:15", "I'll bring it up again today at 21:15"),
        ("tomorrow", "I'll bring it up again tomorrow at"),
        ("tonight", "I'll bring it up again today at 20:30"),
        ("at 23:30", "I'll bring it up again tomorrow at 07:00"),  # the night is quiet
        ("the 45th", "I need a time within a week."),
    ],
)
async def test_repeated_announcement_time_can_be_typed(house: House, typed: str, said: str) -> None:
    alice, bob = await paired(house)
    await bob.says("/today")
    await bob.waits_for(lambda seen: "Not today" in seen.labels, what="a question")
    await shares(alice, "I liked the quiet.")
    house.telegram.advance(minutes=16)
    await bob.taps("Later", await bob.hears("left you a line"))
    await bob.hears("When should I bring it up again?")
    await bob.says(typed)
    await bob.hears(said)
    assert await house.lines(bob) == []


# --- what follows a command -------------------------------------------------------------------------------------------


async def test_command_acts_on_what_follows_it(house: House) -> None:
    alice, _ = await house.asked()
    for command, answer in (
        ("/time 8pm", "From now on I ask at 20:00."),
        ("/time\n20.30 please", "From now on I ask at 20:30."),
        ("/time whenever", "I couldn't read that as a time."),
        ("/depth 3", "How deep may a question go?"),
        ("/depth deep", "I need a number from 1 to 5."),
        ("/quiet 22:30-7", "Now: 22:30 to 07:00."),
        ("/quiet off", "Now: none."),
        ("/quiet always", "Write both hours"),
        ("/quiet 22-7", "Now: 22:00 to 07:00."),
        ("/quiet off", "Now: none."),
        ("/ceiling 4", "How deep may a question go?"),
        ("/ceiling 3", "How deep may a question go?"),
        ("/days mon-fri", "On the days with a tick I ask."),
        ("/days sometimes", "I couldn't read that. Write the days like"),
        ("/days jeden Tag", "On the days with a tick I ask."),
        ("/days weekends", "On the days with a tick I ask."),
        ("/days", "On the days with a tick I ask."),
        ("/name Sam", "Name: Sam"),
        ("/name " + "x" * 50, "That's longer than 40 characters."),
        ("/resume Friday", "/resume works by itself."),
        ("/zone Berlin", "in Berlin, Germany. Is that your clock?"),
        ("/snooze 2 hours", "I'll come back with it today at 11:"),
        ("/snooze sometime", "When should I ask again?"),
        ("/pause 3 days", "Paused."),
        ("/pause until I say so", "I won't write by myself until you say so"),
        ("/pause soonish", "I need a day"),
        ("/resume in 5 days", "Paused."),
        ("/resume someday", "I need a day"),
        ("/resume now", "Good to have you back."),
        ("/pause", "For how long?"),
        ("/pause a week", "Paused."),
        ("/resume", "Good to have you back."),
        ("/today The dog waited.", "/today works by itself."),
        ("/share tonight", "/share works by itself."),
        ("/pair Bob", "/pair works by itself."),
        ("/support please", "Nobody reads this chat"),
        ("/language klingon", "I don't write in that one."),
        ("/language de", "In welcher Sprache soll ich schreiben?"),
        ("/language englisch", "In which language should I write?"),
    ):
        await alice.says(command)
        await alice.hears(answer)
    facts = house.stored(
        "SELECT ask_at, ceiling, quiet_from, paused_at, language, days FROM users WHERE id = ?", alice.id
    )
    assert facts == [("20:30", 3, None, None, "en", 0b1100000)]
    assert await house.lines(alice) == []


async def test_stop_offers_what_can_stop(house: House) -> None:
    alice, bob = await paired(house)
    await alice.says("/stop")
    choices = await alice.hears("What should stop?")
    assert choices.labels == ["Pause the questions", "End sharing", "Remove everything"]
    await alice.taps("End sharing", choices)
    await alice.hears("End sharing with")
    charlie = await house.settled("Charlie")
    await charlie.says("/stop now")
    alone = await charlie.hears("What should stop?")
    assert alone.labels == ["Pause the questions", "Remove everything"]
    await charlie.taps("Pause the questions", alone)
    await charlie.hears("For how long?")
    stranger = house.newcomer("Dora")
    await stranger.says("/stop")
    await stranger.hears("Nothing is stored of you")
    assert bob


# --- zones ------------------------------------------------------------------------------------------------------------


async def test_zone_by_any_of_its_names(house: House) -> None:
    alice = await house.settled()
    await alice.speaks("de")
    await alice.says("/language en")
    for typed, offered in (
        ("US/Eastern", "in New York. Is that your clock?"),
        ("Schweiz", "in Zürich, Switzerland. Is that your clock?"),
        ("Deutschland", "in Berlin, Germany. Is that your clock?"),
        ("in der Schweiz", "in Zürich, Switzerland. Is that your clock?"),
        ("Berlin time", "in Berlin, Germany. Is that your clock?"),
    ):
        await alice.says(f"/zone {typed}")
        await alice.hears(offered)
    for typed, labels in (
        ("UTC+3", {"Moscow", "Nairobi"}),
        ("Etc/GMT-3", {"Moscow", "Nairobi"}),
        ("+5:30", {"Kolkata"}),
        ("CET", {"Berlin", "Paris"}),
        ("MESZ", {"Berlin", "Paris"}),
        ("IST", {"Kolkata", "Jerusalem", "Dublin"}),
        ("Brazil", {"São Paulo", "Manaus"}),
    ):
        await alice.says(f"/zone {typed}")
        found = await alice.waits_for(lambda seen: bool(seen.labels), what=typed)
        shown = {label.partition(" · ")[0].partition(",")[0] for label in found.labels} | set(found.text.split())
        assert any(label in shown for label in labels), (typed, found.labels)
    await alice.says("/zone Schweizer-Ren")
    await alice.hears("I don't know that place.")
