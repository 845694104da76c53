"""Whatever somebody does with their days, and however badly the bot runs: each date is accounted for exactly once."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.domain import planning
from bot.domain.model import AskOpening, Rhythm, SkippedSpan, SkipReason, User
from bot.domain.planning import (
    QUIET_AFTER,
    SLOW_AFTER,
    asked_now,
    changed,
    not_asked,
    paused_for,
    plan,
    resumed,
    too_late,
    upcoming,
)
from bot.domain.times import CATCH_UP, EVERY_DAY, MISS_AFTER, Slot, is_quiet, local, local_date
from tests.samples import sampled

DAY = timedelta(days=1)
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ZONES = (
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Beirut", "America/Santiago",
    "Pacific/Apia", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Pago_Pago",
)  # fmt: skip


def someone(**facts: object) -> User:
    user = User(id=1, language="en", consented_at=START, ask_at=time(20, 30), zone="Europe/Berlin")
    after, _ = changed(user, replace(user, **facts), START)  # type: ignore[arg-type]
    return after


class Life(RuleBasedStateMachine):
    """One user, whose clock moves on (and sometimes back), and everything that can happen to their days."""

    @initialize(zone=st.sampled_from(ZONES), hour=st.times().map(lambda at: at.replace(second=0, microsecond=0)))
    def begin(self, zone: str, hour: time) -> None:
        self.now = START
        self.was_set_back = False
        self.user = someone(zone=zone, ask_at=hour)
        self.asked: dict[date, str] = {}
        self.skipped: list[SkippedSpan] = []

    def _change(self, **facts: object) -> None:
        before = self.user
        self.user, skipped = changed(before, replace(before, **facts), self.now)  # type: ignore[arg-type]
        self.skipped += skipped

    @rule(hours=st.integers(1, 100))
    def time_goes_by_and_the_bot_looks(self, hours: int) -> None:
        end = self.now + timedelta(hours=hours)
        while self.user.next_ask_at and self.user.next_ask_at <= end:
            self.now = max(self.now, self.user.next_ask_at)
            self._look()
        self.now = end

    @rule(hours=st.integers(1, 24 * 45))
    def the_bot_is_down_and_comes_back(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        if self.user.next_ask_at and self.user.next_ask_at <= self.now:
            self._look()

    @rule(hours=st.integers(1, 48))
    def the_machine_is_set_back(self, hours: int) -> None:
        self.now -= timedelta(hours=hours)
        self.was_set_back = True

    def _look(self) -> None:
        found = plan(self.user, self.now)
        for slot in found.missed:
            assert slot.day not in self.asked
            self.asked[slot.day] = "missed"
        if found.asked:
            assert found.asked.day not in self.asked
            assert found.send_at
            assert self.user.zone
            late = self.now - found.asked.at
            assert timedelta() <= late <= MISS_AFTER
            if late > planning.PUNCTUAL and self.user.quiet:
                assert not is_quiet(found.send_at, self.user.zone, self.user.quiet)
            assert not self.user.blocked_at
            self.asked[found.asked.day] = "asked"
        self.skipped += found.skipped
        self.user = found.user
        assert self.user.next_ask_at is None or self.user.next_ask_at > self.now

    @rule(dates=st.integers(1, 20))
    def pauses_for(self, dates: int) -> None:
        until = paused_for(self.user, dates, self.now)
        self._change(paused_at=self.user.paused_at or self.now, paused_until=until)
        assert self.user.blocked_at or (self.user.next_ask_day and self.user.next_ask_day >= until)

    @rule()
    def pauses_until_told(self) -> None:
        self._change(paused_at=self.user.paused_at or self.now, paused_until=None)
        assert self.user.next_ask_at is None

    @precondition(lambda self: self.user.paused_at)
    @rule()
    def resumes(self) -> None:
        back = resumed(self.user, self.now)
        self._change(paused_at=None, paused_until=None, depth=back.depth, comfortable=0)
        assert self.user.blocked_at or self.user.next_ask_at

    @rule(hour=st.times().map(lambda at: at.replace(second=0, microsecond=0)))
    def takes_another_hour(self, hour: time) -> None:
        self._wake()
        self._change(ask_at=hour)

    @rule(zone=st.sampled_from(ZONES))
    def moves(self, zone: str) -> None:
        self._wake()
        self._change(zone=zone)

    @rule(days=st.frozensets(st.integers(0, 6), min_size=1))
    def takes_other_days(self, days: frozenset[int]) -> None:
        self._wake()
        self._change(days=days)

    @rule()
    def says_something(self) -> None:
        self._wake()

    def _wake(self) -> None:
        if self.user.rhythm is not Rhythm.DAILY:
            self._change(rhythm=Rhythm.DAILY, unanswered=0)
        else:
            self.user = replace(self.user, unanswered=0)

    @rule()
    def asks_for_todays(self) -> None:
        self._wake()
        assert self.user.zone
        day = local_date(self.now, self.user.zone)
        if day in self.asked or (self.asked and day < min(self.asked)):
            return  # nothing is recorded about dates before the first
        self.skipped = [part for span in self.skipped for part in without(span, day)]
        self.user, skipped = asked_now(self.user, day, self.now)
        self.skipped += skipped
        self.asked[day] = "asked"

    @rule()
    def sets_what_no_ask_depends_on(self) -> None:
        self._wake()
        before = self.user
        self._change(silent=not self.user.silent)
        is_due = before.next_ask_at and before.next_ask_at <= self.now
        assert self.user.planned == before.planned or is_due or self.was_set_back

    @rule()
    def blocks_or_unblocks(self) -> None:
        self._change(blocked_at=None if self.user.blocked_at else self.now)

    @invariant()
    def each_date_is_accounted_for_once(self) -> None:
        if not hasattr(self, "user") or self.user.last_day is None:
            return
        days = sorted([*self.asked, *(day for span in self.skipped for day in dates(span))])
        assert days == [min(days) + ahead * DAY for ahead in range((self.user.last_day - min(days)).days + 1)]

    @invariant()
    def what_is_planned_is_a_day_of_theirs_not_yet_over(self) -> None:
        if not hasattr(self, "user") or self.user.planned is None or self.user.zone is None:
            return
        assert self.user.planned.day.weekday() in self.user.days or self.user.next_ask_at == self.now
        assert self.user.last_day is None or self.user.planned.day > self.user.last_day
        assert not self.user.blocked_at
        assert self.user.rhythm is not Rhythm.QUIET
        if self.user.paused_at:
            assert self.user.paused_until
            assert self.user.planned.day >= self.user.paused_until

    @invariant()
    def whoever_can_be_asked_will_be(self) -> None:
        if hasattr(self, "user") and self.user.reachable and self.user.rhythm is not Rhythm.QUIET:
            assert self.user.planned


def dates(span: SkippedSpan) -> list[date]:
    return [span.first + ahead * DAY for ahead in range((span.last - span.first).days + 1)]


def without(span: SkippedSpan, day: date) -> list[SkippedSpan]:
    return [SkippedSpan(span.reason, each, each) for each in dates(span) if each != day]


Life.TestCase.settings = settings(
    max_examples=sampled(20, 600), stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestLife = Life.TestCase


def ask(user: User) -> planning.Plan:
    """Go to the next Ask, at its hour."""
    assert user.next_ask_at
    return plan(user, user.next_ask_at)


def silent(asks: int, user: User) -> User:
    for _ in range(asks):
        user = ask(user).user
    return user


def test_silent_week_makes_it_weekly() -> None:
    user = silent(SLOW_AFTER, someone())
    assert user.rhythm is Rhythm.DAILY
    slowed = ask(user)
    assert slowed.asked
    assert slowed.user.rhythm is Rhythm.WEEKLY
    assert slowed.user.to_say is AskOpening.SLOWED
    following = ask(replace(slowed.user, to_say=None))
    assert following.asked
    assert following.asked.day - slowed.asked.day == 7 * DAY
    assert following.skipped == (SkippedSpan(SkipReason.SLOWED, slowed.asked.day + DAY, following.asked.day - DAY),)
    assert following.user.to_say is None


def test_five_silent_weeks_make_it_quiet() -> None:
    user = silent(SLOW_AFTER + QUIET_AFTER - 1, someone())
    last = ask(replace(user, to_say=None))
    assert last.asked
    assert last.user.to_say is AskOpening.LAST
    quiet = ask(last.user)
    assert (quiet.asked, quiet.missed, quiet.skipped) == (None, (), ())
    assert quiet.user.rhythm is Rhythm.QUIET
    assert quiet.user.planned is None


def test_weekly_sign_of_life_stays_daily() -> None:
    user = silent(SLOW_AFTER - 1, someone())
    user = silent(SLOW_AFTER - 1, replace(user, unanswered=0))
    assert user.rhythm is Rhythm.DAILY


def test_weekly_schedule_never_slows_down() -> None:
    user = ask(silent(SLOW_AFTER, someone(days=frozenset({6})))).user
    assert user.rhythm is Rhythm.WEEKLY
    assert user.to_say is None
    twice_a_week = ask(silent(SLOW_AFTER, someone(days=frozenset({0, 6})))).user
    assert twice_a_week.to_say is AskOpening.SLOWED


def test_short_pause_includes_unasked_today() -> None:
    user = someone()
    assert paused_for(user, 3, START) == date(2026, 3, 4)
    asked = ask(user).user
    assert asked.last_day
    assert paused_for(asked, 3, START + timedelta(hours=9)) == date(2026, 3, 5)
    paused = replace(asked, paused_at=START, paused_until=None, next_ask_at=None, next_ask_day=None)
    assert paused_for(paused, 3, START + timedelta(hours=9)) == date(2026, 3, 5), "today has had its Ask"
    assert paused_for(paused, 3, START + DAY) == date(2026, 3, 5), "this day would have none"
    weekly = ask(someone(rhythm=Rhythm.WEEKLY)).user
    assert paused_for(weekly, 3, START + DAY) == date(2026, 3, 6), "this day has none anyway"


def test_first_question_announces_the_pauses_end() -> None:
    user = ask(replace(someone(), depth=2)).user
    paused, skipped = changed(user, replace(user, paused_at=START, paused_until=date(2026, 3, 6)), START)
    assert skipped == ()
    assert paused.planned
    assert paused.planned.day == date(2026, 3, 6)
    back = ask(paused)
    assert back.asked
    assert back.skipped == (SkippedSpan(SkipReason.PAUSED, date(2026, 3, 2), date(2026, 3, 5)),)
    assert back.user.paused_at is None
    assert back.user.to_say is AskOpening.RESUMED
    assert back.user.depth == 1, "it starts one lower"
    assert ask(replace(back.user, to_say=None)).user.to_say is None, "once"


def test_undone_pause_costs_nothing() -> None:
    user = replace(someone(), depth=3)
    paused = replace(user, paused_at=START, paused_until=None)
    assert resumed(paused, START + timedelta(hours=1)).depth == 3
    back = resumed(replace(paused, comfortable=5), START + DAY)
    assert (back.depth, back.comfortable) == (2, 0)
    assert back.to_say is None, "whoever ends their pause need not be told"


@pytest.mark.parametrize(("hours", "asked", "missed"), [(3, 1, 0), (5, 1, 0), (9, 0, 1), (24 * 3, 1, 3)])
def test_downtime_is_recorded_as_missed(hours: int, asked: int, missed: int) -> None:
    user = someone(ask_at=time(9))
    assert user.next_ask_at
    found = plan(user, user.next_ask_at + timedelta(hours=hours))
    assert (int(found.asked is not None), len(found.missed)) == (asked, missed)


def test_after_a_year_down_only_a_month_is_looked_through() -> None:
    user = someone()
    assert user.planned
    found = plan(user, user.planned.at + 365 * DAY + timedelta(hours=7))
    assert found.missed[0] == user.planned, "the date that was planned"
    assert len(found.missed) == 1 + CATCH_UP.days
    assert [(span.reason, (span.last - span.first).days + 1) for span in found.skipped] == [(SkipReason.MISSED, 334)]


def test_late_ask_waits_out_quiet_hours() -> None:
    user = someone(ask_at=time(20, 30))
    assert user.next_ask_at
    found = plan(user, user.next_ask_at + timedelta(hours=3))
    assert found.asked
    assert found.send_at
    assert local(found.send_at, "Europe/Berlin").time() == time(7)


def test_ask_is_late_after_half_an_hour_and_missed_after_six() -> None:
    user = someone(ask_at=time(23))
    assert user.next_ask_at
    punctual = user.next_ask_at + planning.PUNCTUAL
    assert plan(user, punctual).send_at == punctual
    late = plan(user, punctual + timedelta(seconds=1))
    assert late.send_at
    assert local(late.send_at, "Europe/Berlin").time() == time(7)
    assert plan(user, user.next_ask_at + MISS_AFTER).asked
    assert plan(user, user.next_ask_at + MISS_AFTER + timedelta(seconds=1)).asked is None


@pytest.mark.parametrize("pause", [False, True])
def test_late_ask_never_waits_for_the_next(pause: bool) -> None:
    """With only one hour of the day that isn't quiet, the next Ask can come before quiet hours end."""
    user = someone(ask_at=time(8, 45), quiet_from=time(10), quiet_to=time(9))
    if pause:
        user, _ = changed(user, replace(user, paused_at=START, paused_until=date(2026, 3, 3)), START)
    assert user.next_ask_at
    found = plan(user, user.next_ask_at + timedelta(hours=2))
    assert (found.asked, found.missed) == (None, (user.planned,))


def test_late_weekly_ask_waits_out_quiet_hours() -> None:
    user = someone(ask_at=time(8, 45), quiet_from=time(10), quiet_to=time(9), rhythm=Rhythm.WEEKLY)
    user = ask(user).user
    assert user.planned
    found = plan(user, user.planned.at + timedelta(hours=2))
    assert found.asked == user.planned
    assert found.send_at == user.planned.at + DAY + timedelta(minutes=15)


def test_weekly_questions_are_missed_weekly() -> None:
    user = ask(someone(ask_at=time(9), rhythm=Rhythm.WEEKLY)).user
    assert user.planned
    found = plan(user, user.planned.at + 20 * DAY)
    assert [slot.day - user.planned.day for slot in found.missed] == [timedelta(), 7 * DAY, 14 * DAY]
    assert [span.reason for span in found.skipped] == [SkipReason.SLOWED] * 3


def test_promised_ask_can_be_too_late() -> None:
    promised, second = START, timedelta(seconds=1)  # at 13:00 in Berlin
    user = someone()
    last = promised + MISS_AFTER + planning.PUNCTUAL
    assert [too_late(user, promised, now) for now in (promised, last, last + second)] == [False, False, True]
    in_the_evening = promised + timedelta(hours=8)  # six hours later it is three at night
    morning = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)  # 07:30 in Berlin
    assert [too_late(user, in_the_evening, now) for now in (morning, morning + second)] == [False, True]
    for facts in ({"quiet_from": None}, {"zone": None}):
        other = replace(user, **facts)  # type: ignore[arg-type]
        last = in_the_evening + MISS_AFTER + planning.PUNCTUAL
        assert [too_late(other, in_the_evening, now) for now in (last, last + second)] == [False, True]


def test_ask_that_could_not_be_sent_does_not_count() -> None:
    user = replace(someone(), unanswered=3)
    spared = not_asked(user, AskOpening.SLOWED)
    assert spared == replace(user, unanswered=2, to_say=AskOpening.SLOWED)
    assert not_asked(replace(user, unanswered=0, to_say=AskOpening.LAST), AskOpening.SLOWED) == replace(
        user, unanswered=0, to_say=AskOpening.LAST
    )


def test_chosen_hours_ignore_quiet_hours() -> None:
    user = someone(ask_at=time(23, 30))
    assert user.next_ask_at
    assert plan(user, user.next_ask_at).send_at == user.next_ask_at


def test_moving_can_skip_a_date() -> None:
    user = ask(someone(zone="Pacific/Pago_Pago", ask_at=time(8))).user  # UTC-11
    now = datetime(2026, 3, 3, 10, 30, tzinfo=UTC)  # 2 March, 23:30 there; 4 March, 00:30 in Kiritimati
    user = replace(user, last_day=date(2026, 3, 2))
    moved, skipped = changed(user, replace(user, zone="Pacific/Kiritimati"), now)
    assert skipped == (SkippedSpan(SkipReason.JUMPED, date(2026, 3, 3), date(2026, 3, 3)),)
    assert moved.planned
    assert moved.planned.day == date(2026, 3, 4)


def test_new_hour_while_paused_loses_nothing() -> None:
    user = ask(someone(zone="America/New_York", ask_at=time(20))).user
    paused, _ = changed(user, replace(user, paused_at=START, paused_until=date(2026, 3, 5)), START)
    now = datetime(2026, 3, 5, 15, 0, tzinfo=UTC)  # ten in the morning
    later, _ = changed(paused, replace(paused, ask_at=time(9)), now)
    assert later.planned == Slot(date(2026, 3, 5), paused.planned.at if paused.planned else now)


def test_moving_east_asks_at_once() -> None:
    user = ask(someone(zone="America/Santiago", ask_at=time(18))).user
    now = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)  # 14:00 there; 04:00 of the next day in Sydney
    moved, skipped = changed(user, replace(user, zone="Australia/Sydney"), now)
    assert skipped == ()
    assert moved.planned == Slot(date(2026, 3, 2), now)
    assert user.next_ask_at
    just_due, skipped = changed(user, replace(user, zone="Australia/Sydney"), user.next_ask_at)
    assert skipped == ()
    assert just_due.planned == Slot(date(2026, 3, 2), user.next_ask_at)
    asked = plan(moved, now)
    assert asked.asked == moved.planned
    assert asked.send_at == now
    assert asked.user.planned == Slot(date(2026, 3, 3), datetime(2026, 3, 3, 7, 0, tzinfo=UTC))


def test_pause_ends_on_a_day_that_is_off() -> None:
    user = ask(someone(days=EVERY_DAY - {4})).user  # asked on Sunday, 1 March
    paused, _ = changed(user, replace(user, paused_at=START, paused_until=date(2026, 3, 6)), START + DAY)
    assert ask(paused).skipped == (
        SkippedSpan(SkipReason.PAUSED, date(2026, 3, 2), date(2026, 3, 5)),
        SkippedSpan(SkipReason.OFF, date(2026, 3, 6), date(2026, 3, 6)),
    )


def test_days_of_a_user_who_had_blocked_the_bot_are_away() -> None:
    user = asked_on_monday()
    away, _ = changed(user, replace(user, blocked_at=TUESDAY), TUESDAY)
    back_at = TUESDAY + 3 * DAY
    _, skipped = changed(away, replace(away, blocked_at=None), back_at)
    assert skipped == (SkippedSpan(SkipReason.AWAY, date(2026, 3, 3), date(2026, 3, 5)),)


def test_date_missed_before_moving_has_not_been_skipped_by_it() -> None:
    user = ask(someone(zone="Pacific/Pago_Pago", ask_at=time(8))).user
    user = replace(user, last_day=date(2026, 3, 1), next_ask_day=date(2026, 3, 2))
    now = datetime(2026, 3, 3, 10, 30, tzinfo=UTC)  # 2 March, 23:30 there; 4 March, 00:30 in Kiritimati
    user = replace(user, next_ask_at=now - timedelta(hours=15, minutes=30))
    _, skipped = changed(user, replace(user, zone="Pacific/Kiritimati"), now)
    assert skipped == (
        SkippedSpan(SkipReason.MISSED, date(2026, 3, 2), date(2026, 3, 2)),
        SkippedSpan(SkipReason.JUMPED, date(2026, 3, 3), date(2026, 3, 3)),
    )


def test_unselected_weekdays_are_off() -> None:
    user = ask(someone(days=EVERY_DAY - {1, 2})).user  # asked on Sunday, 1 March
    user = ask(user).user
    found = ask(user)
    assert found.skipped == (SkippedSpan(SkipReason.OFF, date(2026, 3, 3), date(2026, 3, 4)),)


TUESDAY = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)  # 07:00 in Berlin


def asked_on_monday() -> User:
    """Somebody whose Ask of Tuesday, 3 March, is planned for nine o'clock."""
    return ask(someone(ask_at=time(9))).user


def test_today_stays_a_day_of_the_pause_that_ends_after_its_hour() -> None:
    user = asked_on_monday()
    paused, _ = changed(user, replace(user, paused_at=user.next_ask_at), START + DAY)
    after_its_hour = TUESDAY + timedelta(hours=6)
    back, skipped = changed(paused, resumed(paused, after_its_hour), after_its_hour)
    assert skipped == (SkippedSpan(SkipReason.PAUSED, TUESDAY.date(), TUESDAY.date()),)
    assert back.planned
    assert back.planned.day == TUESDAY.date() + DAY
    assert ask(back).skipped == ()


def test_today_is_still_open_during_a_pause() -> None:
    """Its Ask comes if the pause ends before its hour, whatever has been set meanwhile."""
    user = asked_on_monday()
    paused, _ = changed(user, replace(user, paused_at=START), START + DAY)
    other, skipped = changed(paused, replace(paused, silent=True), TUESDAY)
    assert skipped == ()
    with_an_end, skipped = changed(other, replace(other, paused_until=date(2026, 3, 9)), TUESDAY)
    assert skipped == ()
    back, skipped = changed(with_an_end, resumed(with_an_end, TUESDAY), TUESDAY)
    assert skipped == ()
    assert back.planned == user.planned


def test_weekday_given_up_and_taken_again_loses_nothing() -> None:
    user = asked_on_monday()
    without_it, skipped = changed(user, replace(user, days=EVERY_DAY - {1}), TUESDAY)
    assert skipped == ()
    assert without_it.planned
    assert without_it.planned.day == TUESDAY.date() + DAY
    again, skipped = changed(without_it, replace(without_it, days=EVERY_DAY), TUESDAY)
    assert skipped == ()
    assert again.planned == user.planned


def test_nobody_is_asked_under_a_policy_they_have_not_agreed_to() -> None:
    user = asked_on_monday()
    found = ask(replace(user, consent_version=0))
    assert (found.asked, found.send_at, found.missed, found.skipped) == (None, None, (), ())
    assert found.user == replace(user, consent_version=0, next_ask_at=None, next_ask_day=None)


@pytest.mark.parametrize("missing", ["next_ask_at", "next_ask_day", "ask_at", "zone"])
def test_incomplete_user_is_not_asked(missing: str) -> None:
    user = replace(asked_on_monday(), **{missing: None})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="nothing is planned"):
        plan(user, START)
    if missing in {"ask_at", "zone"}:
        assert upcoming(user, START) is None
        assert upcoming(replace(user, receives_only=True), START) is None
