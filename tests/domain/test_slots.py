"""A local date has one slot, or none if the date never existed: compared with a walk along UTC, in every zone."""

import os
import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import times
from bot.domain.times import EVERY_DAY, MISS_AFTER, Days, Slot
from tests.clockwork import Walk, all_zones, quarters, utc
from tests.samples import sampled

HARD = [
    "America/New_York",
    "Europe/Berlin",
    "Europe/London",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Beirut",
    "Asia/Gaza",
    "America/Santiago",
    "America/Havana",
    "America/Nuuk",
    "America/St_Johns",
    "Atlantic/Azores",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Honolulu",
    "Antarctica/Troll",
]
DAY = timedelta(days=1)
unhurried = settings(deadline=None)  # the machine may be busy


@pytest.mark.parametrize(
    ("zone", "day", "at", "expected"),
    [
        # Clocks jump over it: the first instant after the jump.
        ("America/New_York", "2026-03-08", "02:30", "2026-03-08 07:00"),
        ("Europe/Berlin", "2026-03-29", "02:00", "2026-03-29 01:00"),
        ("Europe/Berlin", "2026-03-29", "02:30", "2026-03-29 01:00"),
        ("Europe/Berlin", "2026-03-29", "02:59:59.5", "2026-03-29 01:00"),
        ("Australia/Sydney", "2026-10-04", "02:15", "2026-10-03 16:00"),
        ("Australia/Lord_Howe", "2026-10-04", "02:10", "2026-10-03 15:30"),
        ("Africa/Cairo", "2026-04-24", "00:00", "2026-04-23 22:00"),
        ("Africa/Cairo", "2026-04-24", "00:30", "2026-04-23 22:00"),
        ("Asia/Beirut", "2026-03-29", "00:15", "2026-03-28 22:00"),
        ("America/Santiago", "2026-09-06", "00:00", "2026-09-06 04:00"),
        # Singapore went from 23:30 on New Year's Eve straight to New Year: that evening's slot is at midnight.
        ("Asia/Singapore", "1981-12-31", "23:45", "1981-12-31 16:00"),
        # Twice on the clock: the first time.
        ("America/New_York", "2026-11-01", "01:30", "2026-11-01 05:30"),
        ("Europe/Berlin", "2026-10-25", "02:30", "2026-10-25 00:30"),
        ("Australia/Sydney", "2026-04-05", "02:30", "2026-04-04 15:30"),
        ("Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-04 14:45"),
        ("Asia/Beirut", "2026-10-24", "23:30", "2026-10-24 20:30"),
        # The day after, where cron triggers stumble.
        ("Europe/Berlin", "2026-03-30", "00:30", "2026-03-29 22:30"),
        ("America/New_York", "2026-03-09", "00:00", "2026-03-09 04:00"),
        # Nothing special but the zone, or the date.
        ("Asia/Kathmandu", "2026-05-01", "07:45", "2026-05-01 02:00"),
        ("Pacific/Kiritimati", "2026-05-01", "08:00", "2026-04-30 18:00"),
        ("Pacific/Apia", "2011-12-29", "23:59", "2011-12-30 09:59"),
        ("Pacific/Apia", "2011-12-31", "00:00", "2011-12-30 10:00"),
        ("Europe/Berlin", "2028-02-29", "08:00", "2028-02-29 07:00"),
    ],
)
def test_slot_rule(zone: str, day: str, at: str, expected: str) -> None:
    assert times.instant(date.fromisoformat(day), time.fromisoformat(at), zone) == utc(expected)


@pytest.mark.parametrize("at", ["00:00", "08:00", "23:59"])
@pytest.mark.parametrize(("zone", "day"), [("Pacific/Apia", "2011-12-30"), ("Pacific/Kwajalein", "1993-08-21")])
def test_nonexistent_date_has_no_slot(zone: str, day: str, at: str) -> None:
    never, hour = date.fromisoformat(day), time.fromisoformat(at)
    assert times.instant(never, hour, zone) is None
    before = times.instant(never - DAY, hour, zone)
    assert before is not None
    assert times.next_slot(before, hour, zone).day == never + DAY


def test_slots_match_a_walk_along_utc() -> None:
    """Some random zones, a random year each. The complete check is `tests/prove/slots.py`."""
    seed = int(os.environ.get("AJAR_TEST_SEED", random.randrange(10**9)))
    print(f"AJAR_TEST_SEED={seed}")  # noqa: T201 - pytest shows it when the test fails
    chance = random.Random(seed)
    for zone in chance.sample(HARD, 8) + chance.sample(all_zones(), 12):
        year = chance.randrange(2025, 2036)
        _same_as_walk(zone, utc(f"{year - 1}-12-28"), utc(f"{year + 1}-01-04"), chance.sample(quarters(), 3))
    _same_as_walk("Pacific/Apia", utc("2011-12-01"), utc("2012-02-01"), quarters())
    _same_as_walk("Asia/Singapore", utc("1981-12-20"), utc("1982-01-10"), quarters())


def _same_as_walk(zone: str, start: datetime, end: datetime, hours: list[time]) -> None:
    walk = Walk(zone, start, end)
    days = walk.days()
    for at in hours:
        expected = [Slot(day, moment) for day in days if (moment := walk.slot(day, at)) is not None]
        assert len(expected) == len(days)
        found = [times.next_slot(expected[0].at - timedelta(microseconds=1), at, zone)]
        while found[-1].day < days[-1]:
            found.append(times.next_slot(found[-1].at, at, zone))
        assert found == expected, f"{zone} at {at}"


zones = st.sampled_from(HARD)
hours = st.times().map(lambda at: at.replace(second=0, microsecond=0))
instants = st.datetimes(datetime(2025, 1, 1), datetime(2035, 12, 1)).map(lambda it: it.replace(tzinfo=UTC))  # noqa: DTZ001
weekdays = st.frozensets(st.integers(0, 6), min_size=1)


@unhurried
@given(after=instants, at=hours, zone=zones, days=weekdays, ahead=st.none() | st.integers(-5, 5))
def test_next_slot_is_the_first_allowed(after: datetime, at: time, zone: str, days: Days, ahead: int | None) -> None:
    today = after.astimezone(ZoneInfo(zone)).date()
    last_day = None if ahead is None else today + ahead * DAY
    walk = Walk(zone, (after - 2 * DAY).replace(hour=0, minute=0, second=0, microsecond=0), after + 18 * DAY)
    # A walk in steps of a quarter knows only slots on quarters.
    at = at.replace(minute=at.minute // 15 * 15)
    candidates = (Slot(day, moment) for day in walk.days() if (moment := walk.slot(day, at)) is not None)
    expected = next(
        slot
        for slot in candidates
        if slot.at > after and slot.day.weekday() in days and (last_day is None or slot.day > last_day)
    )
    assert times.next_slot(after, at, zone, days=days, last_day=last_day) == expected


def test_weekly_moment_survives_a_clock_change() -> None:
    """The Ritual on Sundays at 02:30, through both changes of Berlin's clocks."""
    spring = times.next_weekly(utc("2026-03-22 12:00"), 6, time(2, 30), "Europe/Berlin")
    assert spring == Slot(date(2026, 3, 29), utc("2026-03-29 01:00"))
    autumn = times.next_weekly(utc("2026-10-25 00:30"), 6, time(2, 30), "Europe/Berlin")
    assert autumn == Slot(date(2026, 11, 1), utc("2026-11-01 01:30")), "the second 02:30 of 25 October is no slot"


# --- a life of changes -----------------------------------------------------------------------------------------------


@dataclass
class Life:
    """A user's schedule as the bot keeps it: planned slots, asked dates, and the dates they lived through."""

    now: datetime
    at: time
    zone: str
    days: Days = EVERY_DAY
    asked: list[date] = field(default_factory=list)
    lived: list[date] = field(default_factory=list)  # from beginning to end in one zone, still unasked

    def __post_init__(self) -> None:
        self.planned = times.next_slot(self.now, self.at, self.zone, days=self.days)
        self._arrive()

    @property
    def last_day(self) -> date | None:
        return self.asked[-1] if self.asked else None

    def passes(self, span: timedelta) -> None:
        until = self.now + span
        while self.planned.at <= until:
            self.now = max(self.now, self.planned.at)
            self.asked.append(self.planned.day)
            self.planned = times.next_slot(self.now, self.at, self.zone, days=self.days, last_day=self.last_day)
        self.now = until

    def is_down(self, span: timedelta) -> None:
        until = self.now + span
        since = self.planned.at - timedelta(microseconds=1)
        if self.planned.at <= until:  # a slot kept from before a change is found unchanged
            self.asked.append(self.planned.day)
        while (slot := times.next_slot(since, self.at, self.zone, days=self.days, last_day=self.last_day)).at <= until:
            self.asked.append(slot.day)
            since = slot.at
        self.now = until
        if self.planned.at <= until:
            self.planned = times.next_slot(until, self.at, self.zone, days=self.days, last_day=self.last_day)

    def sets_hour(self, at: time) -> None:
        self.at = at
        self._changed()

    def moves(self, zone: str) -> None:
        self._leave()
        self.zone = zone
        self._changed()
        self._arrive()

    def _changed(self) -> None:
        self.planned = times.changed_slot(
            self.now, self.planned, self.at, self.zone, days=self.days, last_day=self.last_day
        )
        self.passes(timedelta())

    def _arrive(self) -> None:
        self._since = max(self.now.astimezone(ZoneInfo(self.zone)).date(), self.last_day or date.min)

    def _leave(self) -> None:
        until = self.now.astimezone(ZoneInfo(self.zone)).date()
        self.lived += [self._since + day * DAY for day in range(1, (until - self._since).days)]

    def ends(self) -> None:
        self._leave()


spans = st.timedeltas(timedelta(), 4 * DAY)
steps = st.one_of(
    st.tuples(st.just("passes"), spans),
    st.tuples(st.just("is_down"), st.timedeltas(timedelta(), 20 * DAY)),
    st.tuples(st.just("sets_hour"), hours),
    st.tuples(st.just("moves"), zones),
)


@settings(max_examples=sampled(60, 2000), deadline=None)
@given(start=instants, at=hours, zone=zones, days=weekdays, course=st.lists(steps, max_size=25))
def test_each_date_comes_once_through_changes(
    start: datetime, at: time, zone: str, days: Days, course: list[tuple[str, object]]
) -> None:
    life = Life(start, at, zone, days)
    for name, value in course:
        getattr(life, name)(value)
    life.ends()
    assert life.asked == sorted(set(life.asked)), "a date was asked twice, or after a later one"
    expected = {day for day in life.lived if day.weekday() in days}
    assert expected <= set(life.asked), "a date was lived through without its Ask"


@unhurried
@given(
    start=instants,
    at=hours,
    zone=zones,
    course=st.lists(steps | st.tuples(st.just("set_clock"), st.timedeltas(-3 * DAY, 3 * DAY)), max_size=25),
)
def test_machine_clock_change_repeats_no_date(
    start: datetime, at: time, zone: str, course: list[tuple[str, object]]
) -> None:
    life = Life(start, at, zone)
    for name, value in course:
        if name == "set_clock":
            assert isinstance(value, timedelta)
            life.now += value
        else:
            getattr(life, name)(value)
    assert life.asked == sorted(set(life.asked))


class TestChangingTheHour:
    """Berlin, Tuesday 5 May 2026; the Ask stood at 20:30 (18:30 UTC) and it is 15:00 there."""

    now = utc("2026-05-05 13:00")
    planned = Slot(date(2026, 5, 5), utc("2026-05-05 18:30"))
    zone = "Europe/Berlin"

    def test_later_hour_moves_todays_ask(self) -> None:
        slot = times.changed_slot(self.now, self.planned, time(22), self.zone, last_day=date(2026, 5, 4))
        assert slot == Slot(date(2026, 5, 5), utc("2026-05-05 20:00"))

    def test_past_hour_leaves_todays_ask(self) -> None:
        slot = times.changed_slot(self.now, self.planned, time(8), self.zone, last_day=date(2026, 5, 4))
        assert slot == self.planned

    def test_change_after_asking_waits_for_tomorrow(self) -> None:
        tomorrow = Slot(date(2026, 5, 6), utc("2026-05-06 18:30"))
        slot = times.changed_slot(self.now, tomorrow, time(22), self.zone, last_day=date(2026, 5, 5))
        assert slot == Slot(date(2026, 5, 6), utc("2026-05-06 20:00"))

    def test_day_that_has_had_its_ask_gets_no_other(self) -> None:
        """Not even if one is planned for it."""
        slot = times.changed_slot(self.now, self.planned, time(8), self.zone, last_day=date(2026, 5, 5))
        assert slot == Slot(date(2026, 5, 6), utc("2026-05-06 06:00"))

    def test_new_zone_makes_hours_due(self) -> None:
        """In Tokyo it is 22:00, and the planned moment is after midnight there."""
        slot = times.changed_slot(self.now, self.planned, time(20, 30), "Asia/Tokyo", last_day=date(2026, 5, 4))
        assert slot == Slot(date(2026, 5, 5), self.now)

    def test_unselected_weekday_drops_its_ask(self) -> None:
        no_tuesday = EVERY_DAY - {1}
        slot = times.changed_slot(self.now, self.planned, time(8), self.zone, days=no_tuesday)
        assert slot == Slot(date(2026, 5, 6), utc("2026-05-06 06:00"))

    def test_start_waits_for_the_first_slot(self) -> None:
        assert times.changed_slot(self.now, None, time(8), self.zone).day == date(2026, 5, 6)


def test_hour_that_comes_twice_has_one_slot() -> None:
    """Also for a time of day that was read off the clock the second time."""
    second = time(2, 30, fold=1)
    assert times.instant(date(2026, 10, 25), second, "Europe/Berlin") == utc("2026-10-25 00:30")


def test_date_line_repeats_no_date() -> None:
    """From Kiritimati back to Honolulu, where the same date begins anew 24 hours later."""
    life = Life(utc("2026-05-04 00:00"), time(8), "Pacific/Kiritimati")
    life.passes(timedelta(days=2))
    life.moves("Pacific/Honolulu")
    life.passes(timedelta(days=3))
    assert life.asked == [date(2026, 5, day) for day in (5, 6, 7, 8)]


def test_ask_six_hours_late_is_missed() -> None:
    assert timedelta(hours=6) == MISS_AFTER


@pytest.mark.parametrize("days", [frozenset(), frozenset({7})])
def test_schedule_without_a_weekday_is_refused(days: Days) -> None:
    with pytest.raises(ValueError, match="at least one weekday"):
        times.next_slot(utc("2026-05-05"), time(8), "Europe/Berlin", days=days)


def test_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        times.next_slot(datetime(2026, 5, 5), time(8), "Europe/Berlin")  # noqa: DTZ001 - that is the point
