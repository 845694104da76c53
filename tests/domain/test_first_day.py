"""The date of the first question is settled afterwards, with the zone; every later date is accounted for once."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.model import SkippedSpan, SkipReason, User
from bot.domain.planning import placed, plan
from bot.domain.times import Slot, instant, local_date
from bot.domain.zones import KNOWN_ZONES
from tests.samples import sampled

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
FROM = datetime(2026, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 366 * 24 * 60).map(lambda minutes: FROM + minutes * MINUTE)
LATER = st.one_of(st.integers(0, 3 * 60), st.integers(0, 6 * 24 * 60)).map(lambda minutes: minutes * MINUTE)
HOURS = st.times().map(lambda at: time(at.hour, at.minute))


def dates_of(spans: tuple[SkippedSpan, ...]) -> list[date]:
    return [span.first + n * DAY for span in spans for n in range((span.last - span.first).days + 1)]


@settings(deadline=None, max_examples=sampled(100, 3000))
@given(MOMENTS, LATER, HOURS, st.sampled_from(KNOWN_ZONES), st.booleans())
def test_each_date_counts_once(begun: datetime, later: timedelta, at: time, zone: str, is_open: bool) -> None:
    now = begun + later
    day = local_date(begun, zone)
    user, spans = placed(User(1, "en", begun, ask_at=at), zone, day, now, is_open=is_open)
    had = [*dates_of(spans)]
    assert all(span.reason is SkipReason.START for span in spans)
    asked: list[date] = [] if is_open and user.next_ask_day == day else [day]
    for _ in range(4):
        assert user.next_ask_at
        assert user.next_ask_at > now
        planned = plan(user, user.next_ask_at)
        assert planned.asked
        asked.append(planned.asked.day)
        had += dates_of(planned.skipped)
        now, user = user.next_ask_at, planned.user
    every = {day + n * DAY for n in range((asked[-1] - day).days + 1)}
    existing = {each for each in every if instant(each, at, zone) is not None}
    assert len({*asked, *had}) == len(asked) + len(had)
    assert existing <= {*asked, *had} <= every


def test_open_first_question_comes_again_at_its_hour() -> None:
    """It was sent at noon, before we knew that it is seven in the morning there."""
    begun = datetime(2026, 5, 5, 12, tzinfo=UTC)
    new = User(1, "en", begun, ask_at=time(9))
    user, spans = placed(new, "America/New_York", begun.date(), begun, is_open=True)
    assert spans == ()
    assert user.zone == "America/New_York"
    assert user.planned == Slot(begun.date(), begun + timedelta(hours=1))
    assert user.last_day == begun.date() - DAY
    answered, spans = placed(new, "America/New_York", begun.date(), begun, is_open=False)
    assert spans == ()
    assert answered.planned == Slot(begun.date() + DAY, begun + timedelta(hours=25))


@given(MOMENTS, HOURS, st.sampled_from(KNOWN_ZONES))
def test_same_day_zone_plans_tomorrow(begun: datetime, at: time, zone: str) -> None:
    """Whatever the hour, the question that was answered was this date's."""
    day = local_date(begun, zone)
    user, spans = placed(User(1, "en", begun, ask_at=at), zone, day, begun, is_open=False)
    assert spans == ()
    assert user.next_ask_day
    assert user.next_ask_day > day
    assert replace(user, next_ask_at=None, next_ask_day=None).last_day == day
