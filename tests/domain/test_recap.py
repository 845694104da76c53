"""When the recap comes by itself, and which words are of which week."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from bot.domain.feelings import Feeling
from bot.domain.model import Rhythm, User
from bot.domain.recap import WEEKS, by_week, due_after, kept_lately, put_off_until, weeks_until
from bot.domain.times import local

WEDNESDAY = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
SUNDAY = date(2026, 11, 29)
USER = User(7200 * 5, "en", WEDNESDAY, ask_at=time(20, 30), zone="Europe/Berlin")
HEAVY, TORN, OWN = Feeling(shelf="heavy"), Feeling(shelf="torn"), Feeling(own="wet wool")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Reno", "Asia/Kolkata", "Australia/Lord_Howe"])
@pytest.mark.parametrize("user_id", [7200, 7200 + 1800, 2 * 7200 - 1])
def test_recap_comes_on_sunday_afternoon_locally(zone: str, user_id: int) -> None:
    zone = "America/Los_Angeles" if zone == "America/Reno" else zone
    due = due_after(replace(USER, id=user_id, zone=zone), WEDNESDAY)
    assert due
    here = local(due, zone)
    assert here.date() == SUNDAY
    assert time(16) <= here.time() < time(18)
    assert due_after(replace(USER, id=user_id, zone=zone), due - timedelta(seconds=1)) == due
    following = due_after(replace(USER, id=user_id, zone=zone), due)
    assert following
    assert (here.hour - 16) * 3600 + here.minute * 60 + here.second == user_id % 7200, "all at once, most would be late"
    assert local(following, zone).date() == SUNDAY + timedelta(7)


@pytest.mark.parametrize(
    "facts",
    [
        {"weekly_recap": False},
        {"paused_at": WEDNESDAY},
        {"blocked_at": WEDNESDAY},
        {"rhythm": Rhythm.WEEKLY},
        {"rhythm": Rhythm.QUIET},
        {"zone": None},
    ],
)
def test_recap_skips_absent_and_unwilling_users(facts: dict[str, object]) -> None:
    assert due_after(USER, WEDNESDAY)
    assert due_after(replace(USER, weekly_recap=True), WEDNESDAY)
    user = replace(USER, **facts)  # type: ignore[arg-type]
    assert due_after(user, WEDNESDAY) is None
    assert put_off_until(user, WEDNESDAY) is None


def test_quiet_hours_delay_until_monday_morning() -> None:
    due = due_after(USER, WEDNESDAY)
    assert due
    assert put_off_until(USER, due) == due
    quiet = replace(USER, quiet_from=time(15), quiet_to=time(19))
    put_off = put_off_until(quiet, due)
    assert put_off
    assert local(put_off, "Europe/Berlin").time() == time(19)
    assert put_off_until(quiet, put_off) == put_off
    assert put_off_until(USER, due + timedelta(hours=18, minutes=1)) is None, "after the bot was down"


def test_moved_user_has_a_local_sunday() -> None:
    due = due_after(USER, WEDNESDAY)
    assert due
    here = replace(USER, zone="America/New_York")
    put_off = put_off_until(here, due)
    assert put_off
    assert (put_off, local(put_off, "America/New_York").date()) == (due + timedelta(hours=6), SUNDAY)


def test_words_belong_to_their_lines_week() -> None:
    first, *_, last = weeks_until(SUNDAY)
    assert (last, first) == (date(2026, 11, 23), date(2026, 10, 5))
    assert len(weeks_until(SUNDAY)) == WEEKS
    words = [
        (SUNDAY, (HEAVY,)),
        (date(2026, 11, 23), (OWN, HEAVY)),
        (date(2026, 11, 22), (TORN,)),
        (date(2026, 10, 5), (TORN,)),
        (date(2026, 10, 4), (OWN,)),
    ]
    found = by_week(words, SUNDAY)
    assert found.pop(last) == (OWN, HEAVY), "the earliest first, and each once"
    assert found.pop(date(2026, 11, 16)) == (TORN,)
    assert found.pop(first) == (TORN,)
    assert set(found.values()) == {()}


def test_latest_week_has_seven_dates() -> None:
    assert kept_lately(SUNDAY - timedelta(6), SUNDAY)
    assert not kept_lately(SUNDAY - timedelta(7), SUNDAY)
