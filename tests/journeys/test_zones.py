"""A year around the world: each date brings its question once and at its hour, whatever the local clocks do.

The same bot serves them all while time moves on from change to change. `tests.clockwork`, which shares nothing with
the bot but the tz database, says when a question must come.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.clockwork import Walk
from tests.journeys.house import House, is_question, questions, until
from tests.standin import Person, Seen

pytestmark = pytest.mark.asyncio(loop_scope="module")

DAY, MINUTE, SECOND = timedelta(days=1), timedelta(minutes=1), timedelta(seconds=1)
Slots = tuple[tuple[date, datetime], ...]
PLACES = {
    "America/New_York": (40.71, -74.01),
    "Europe/Berlin": (52.52, 13.40),
    "Australia/Sydney": (-33.87, 151.21),
    "Australia/Lord_Howe": (-31.55, 159.08),
    "Africa/Cairo": (30.04, 31.24),
    "Asia/Beirut": (33.89, 35.50),
    "America/Santiago": (-33.45, -70.67),
    "Pacific/Apia": (-13.83, -171.76),
    "Asia/Kathmandu": (27.72, 85.32),
    "Pacific/Kiritimati": (1.87, -157.43),
}
"""Where people live: latitude and longitude, as their phones share them."""


@dataclass(frozen=True)
class Resident:
    """Somebody, and the questions that must come to them: the date and the moment of each."""

    person: Person
    slots: Slots
    following: datetime
    """The moment of the question after these."""


async def moves_in(house: House, zone: str, at: time) -> Person:
    """Return somebody who lives there and has skipped the start's question, which is that of their present date."""
    person = await house.consenting(f"{zone.rpartition('/')[2]} {at:%H%M}")
    await person.says(f"{at:%H:%M}")
    await person.hears("What time is it for you now?")
    latitude, longitude = PLACES[zone]
    await person.sends("location", latitude=latitude, longitude=longitude)
    await person.taps("Yes", await person.hears("Is that your clock?"))
    await person.hears("Want to try one now?")
    await person.says("/today")
    await person.taps("Not today", await person.waits_for(is_question, what="the question of the start"))
    await person.hears("All right, not today.")
    assert house.stored("SELECT zone FROM users WHERE id = ?", person.id) == [(zone,)]
    return person


def slots(zone: str, at: time, after: datetime, until: datetime) -> Slots:
    walk = Walk(zone, (after - 2 * DAY).replace(minute=0, second=0, microsecond=0), until + 2 * DAY)
    found = [(day, walk.slot(day, at)) for day in walk.days()]
    return tuple((day, moment) for day, moment in found if moment and after < moment <= until)


def asked(house: House, person: Person) -> list[tuple[date, datetime]]:
    """The dates for which this person was asked after the start, and when each question was due."""
    _, *rows = house.stored("SELECT day, due_at FROM asks WHERE user_id = ? ORDER BY day", person.id)
    return [(date.fromisoformat(day), datetime.fromtimestamp(due / 1000, UTC)) for day, due in rows]


def planned(house: House, person: Person) -> datetime:
    ((due,),) = house.stored("SELECT next_ask_at FROM users WHERE id = ?", person.id)
    return datetime.fromtimestamp(due / 1000, UTC)


def sent(person: Person, question: Seen) -> datetime:
    return datetime.fromtimestamp(person.chat.messages[question.message_id].date, UTC)


@pytest.mark.parametrize(
    ("changes", "homes"),
    [
        ("2027-03-14", {"America/New_York 00:00", "America/New_York 02:15"}),
        ("2027-03-28", {"Europe/Berlin 00:00", "Europe/Berlin 02:15", "Asia/Beirut 00:00"}),
        ("2027-04-04", {"Australia/Sydney 02:15", "Australia/Lord_Howe 01:45", "America/Santiago 23:30"}),
        ("2027-04-30", {"Africa/Cairo 00:00"}),
        ("2027-09-05", {"America/Santiago 00:00"}),
        ("2027-10-03", {"Australia/Sydney 00:00", "Australia/Sydney 02:15", "Australia/Lord_Howe 02:15"}),
        ("2027-10-29", {"Africa/Cairo 23:30"}),
        ("2027-10-31", {"Europe/Berlin 02:15", "Asia/Beirut 23:30"}),
        ("2027-11-07", {"America/New_York 00:00", "America/New_York 01:30"}),
        ("2028-01-01", {"Pacific/Apia 00:00", "Asia/Kathmandu 00:00", "Pacific/Kiritimati 23:45"}),
    ],
)
async def test_each_date_is_asked_once(house: House, changes: str, homes: set[str]) -> None:
    """Covers midnights that don't exist or come twice, hours that are jumped over or come twice, and ordinary ones."""
    change = date.fromisoformat(changes)
    house.telegram.move_to(max(datetime.combine(change - 2 * DAY, time(12), UTC), house.telegram.now))
    end = max(datetime.combine(change + DAY, time(0, 15), ZoneInfo(home.split()[0])) for home in homes)
    residents = await asyncio.gather(*(_resident(house, home, end) for home in sorted(homes)))
    for moment in sorted({moment for resident in residents for _, moment in resident.slots}):
        due = [resident.person for resident in residents if any(at == moment for _, at in resident.slots)]
        for person in due:
            person._acts()
        house.telegram.move_to(moment + SECOND)
        for person in due:
            await person.waits_for(is_question, what="the question of the hour")
    for resident in residents:
        assert asked(house, resident.person) == list(resident.slots)
        assert planned(house, resident.person) == resident.following
        came = [sent(resident.person, question) for question in questions(resident.person)]
        assert len(came) == len(resident.slots)
        for moment, (_, slot) in zip(came, resident.slots, strict=True):
            assert slot <= moment < slot + MINUTE


async def _resident(house: House, home: str, end: datetime) -> Resident:
    """Somebody who moves in and stays until the day after the change has begun everywhere."""
    zone, hour = home.split()
    at = time.fromisoformat(hour)
    person = await moves_in(house, zone, at)
    present = house.telegram.now.astimezone(ZoneInfo(zone)).date()
    found = [slot for slot in slots(zone, at, house.telegram.now, end + DAY) if slot[0] > present]
    until_then = tuple(slot for slot in found if slot[1] <= end)
    assert until_then
    return Resident(person, until_then, found[len(until_then)][1])


# --- another zone, just before and just after the question


async def goes_to(person: Person, place: str) -> str:
    """Change the zone in the settings by the name of a city; return what the bot says to it."""
    await person.says("/settings")
    await person.taps("Clock", await person.hears("Settings"))
    await person.hears("What time is it for you now?")
    await person.says(place)
    found = await person.waits_for(lambda seen: bool(seen.labels), what="the place")
    await person.taps("Yes" if "Yes" in found.labels else found.labels[0], found)
    return (await person.hears("The next question comes")).text


@pytest.mark.parametrize(
    ("home", "hour", "place", "zone", "before", "after"),
    [
        # To the east the day may be over before its hour comes: then it comes at once. To the west it comes later.
        (
            "America/New_York",
            "20:30",
            "Berlin",
            "Europe/Berlin",
            [(0, None), (1, "there")],
            [(0, "home"), (1, "there")],
        ),
        (
            "Europe/Berlin",
            "20:30",
            "New York",
            "America/New_York",
            [(0, "there"), (1, "there")],
            [(0, "home"), (1, "there")],
        ),
        # Across the date line a date is lived twice but asked once (the first one by the start), or there is none.
        (
            "Pacific/Kiritimati",
            "08:00",
            "Pago Pago",
            "Pacific/Pago_Pago",
            [(1, "there"), (2, "there")],
            [(1, "home"), (2, "there")],
        ),
        (
            "Asia/Kathmandu",
            "20:30",
            "Apia",
            "Pacific/Apia",
            [(0, None), (1, "there")],
            [(0, "home"), (1, "there")],
        ),
    ],
)
async def test_zone_change_around_the_question(
    house: House,
    home: str,
    hour: str,
    place: str,
    zone: str,
    before: list[tuple[int, str | None]],
    after: list[tuple[int, str | None]],
) -> None:
    at = time.fromisoformat(hour)
    morning = datetime.combine(house.telegram.now.date() + DAY, time(10), UTC)
    house.telegram.move_to(morning)
    early, late = await asyncio.gather(moves_in(house, home, at), moves_in(house, home, at))
    house.telegram.move_to(morning + DAY)
    today = house.telegram.now.date()
    slot = planned(house, early)

    house.telegram.move_to(slot - MINUTE)
    left_at = house.telegram.now
    await goes_to(early, place)
    if before[0] == (0, None):  # found only after the clock was moved on, it would be late, and wait for the morning
        await until(lambda: len(questions(early)) == 1, "the question that comes at once")
    assert not questions(late)
    house.telegram.move_to(slot + MINUTE)
    await late.waits_for(is_question, what="the question at home")
    await goes_to(late, place)

    def expected(found: list[tuple[int, str | None]]) -> list[tuple[date, datetime | None]]:
        clocks = {"home": ZoneInfo(home), "there": ZoneInfo(zone)}
        days = [(today + ahead * DAY, clock) for ahead, clock in found]
        return [
            (day, datetime.combine(day, at, clocks[clock]).astimezone(UTC) if clock else None) for day, clock in days
        ]

    stories = ((early, expected(before)), (late, expected(after)))
    for moment in sorted({moment for _, story in stories for _, moment in story if moment and moment > slot}):
        house.telegram.move_to(moment + SECOND)
        for person, story in stories:
            count = sum(wanted is None or wanted <= moment for _, wanted in story)
            await until(lambda: len(questions(person)) == count, "the question of the hour there")  # noqa: B023
    for person, story in stories:
        came = asked(house, person)
        assert [day for day, _ in came] == [day for day, _ in story]
        for (_, at_last), (_, wanted) in zip(came, story, strict=True):
            assert at_last == wanted if wanted else left_at <= at_last < left_at + MINUTE
        assert len(questions(person)) == len(came)


# --- a bot that is down, and a clock that is set


async def test_three_hours_down_around_the_world(house: House) -> None:
    """Late questions come at once, or in the morning if it is night; later ones are not affected."""
    house.telegram.move_to(datetime(2028, 1, 11, 9, 0, tzinfo=UTC))
    berlin, howe, kathmandu = await asyncio.gather(
        moves_in(house, "Europe/Berlin", time(11, 0)),
        moves_in(house, "Australia/Lord_Howe", time(21, 30)),
        moves_in(house, "Asia/Kathmandu", time(18, 30)),
    )
    house.telegram.move_to(datetime(2028, 1, 12, 9, 0, tzinfo=UTC))
    await house.bot.stop()
    house.telegram.advance(hours=3)
    berlin._acts()
    await house.starts()
    await berlin.waits_for(is_question, what="a late question")
    await kathmandu.says("/settings")
    assert "The next question comes today at 18:30." in (await kathmandu.hears("Settings")).text
    assert not questions(kathmandu)
    assert not questions(howe), "it is eleven at night there"
    await house.moves_on(kathmandu, minutes=46)
    assert not questions(howe)
    await house.moves_on(howe, hours=7, minutes=15)
    assert house.telegram.now.astimezone(ZoneInfo("Australia/Lord_Howe")).hour == 7
    for person in (berlin, howe, kathmandu):
        assert len(questions(person)) == len(asked(house, person)) == 1


async def test_three_days_over_a_clock_change(house: House) -> None:
    house.telegram.move_to(datetime(2028, 3, 10, 17, 0, tzinfo=UTC))
    homes = [("America/New_York", time(2, 15)), ("America/New_York", time(12, 30)), ("Asia/Kathmandu", time(23, 0))]
    people = await asyncio.gather(*(moves_in(house, zone, at) for zone, at in homes))
    moved_in = house.telegram.now
    await house.bot.kill()
    house.telegram.advance(days=3)
    people[1]._acts()
    await house.starts()
    await people[1].waits_for(is_question, what="a late question")
    for person, (zone, at) in zip(people, homes, strict=True):
        present = moved_in.astimezone(ZoneInfo(zone)).date()
        expected = [slot for slot in slots(zone, at, moved_in, house.telegram.now) if slot[0] > present]
        await until(lambda: asked(house, person) == expected, "each date once")  # noqa: B023
    assert [len(questions(person)) for person in people] == [0, 1, 0], "what is later than six hours is not asked"
    assert [state for _, state in house.asks(people[1])] == ["skipped", "missed", "missed", "open"]


async def test_clock_set_back_repeats_no_date(house: House) -> None:
    house.telegram.move_to(datetime(2028, 3, 24, 9, 0, tzinfo=UTC))
    cairo, santiago, beirut = await asyncio.gather(
        moves_in(house, "Africa/Cairo", time(12, 0)),
        moves_in(house, "America/Santiago", time(7, 30)),
        moves_in(house, "Asia/Beirut", time(12, 45)),
    )
    house.telegram.move_to(datetime(2028, 3, 25, 9, 0, tzinfo=UTC))
    await house.moves_on(cairo, hours=1, minutes=5)
    house.telegram.advance(hours=-1)
    await cairo.says("/settings")
    assert "The next question comes tomorrow at 12:00." in (await cairo.hears("Settings")).text
    await house.moves_on(santiago, beirut, hours=1, minutes=41)
    assert [len(questions(person)) for person in (cairo, santiago, beirut)] == [1, 1, 1]
    await house.moves_on(cairo, santiago, beirut, days=1)
    for person in (cairo, santiago, beirut):
        assert [day.isoformat() for day, _ in asked(house, person)] == ["2028-03-25", "2028-03-26"]
