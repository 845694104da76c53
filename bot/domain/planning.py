"""Plan when a user is asked, and record the dates without a question. Every date is accounted for exactly once.

Each local date of a user, from the first Ask up to `User.last_day`, either has its Ask (asked or missed) or is part of
a SkippedSpan that says why it has none. To keep this true, code that changes anything the next Ask depends on has to go
through `changed`, and code that asks has to go through `plan` or `asked_now`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Final

from bot.domain.model import DEPTH_AT_START, AskOpening, Rhythm, SkippedSpan, SkipReason, Step, User
from bot.domain.times import CATCH_UP, MISS_AFTER, Slot, after_quiet, changed_slot, instant, local_date, next_slot

SLOW_AFTER: Final = 7
"""After this many Asks to a user who does nothing, the bot asks once a week."""
QUIET_AFTER: Final = 4
"""After this many weekly Asks to a user who does nothing, the bot is quiet until they write."""
PUNCTUAL: Final = timedelta(minutes=30)
"""A message that is no later than this still counts as sent at the hour that its user chose."""

_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do for a user at some moment: an Ask to send, and dates to record as missed or skipped."""

    user: User
    """The user after planning: with the next Ask, if there will be one."""
    asked: Slot | None
    send_at: datetime | None
    """When to send the question for `asked`: at once, or as soon as quiet hours end."""
    missed: tuple[Slot, ...]
    skipped: tuple[SkippedSpan, ...]


def plan(user: User, now: datetime) -> Plan:
    """Return what became due for `user` up to `now`: at most one Ask, and the dates that passed while the bot was down.

    A slot that is found within MISS_AFTER of its time is asked; an earlier one is recorded as missed, so that nobody
    comes back to a pile of questions. An Ask ends a pause that had an end. After SLOW_AFTER Asks to a user who does
    nothing, the bot slows down. Raises ValueError if nothing is planned.
    """
    if user.planned is None or user.ask_at is None or user.zone is None:
        raise ValueError("nothing is planned for this user")
    if not user.has_agreed:  # the policy has a new version: they are asked about that instead
        return Plan(_with_next(user, None), None, None, (), ())
    if user.rhythm is Rhythm.WEEKLY and user.unanswered >= QUIET_AFTER:
        return Plan(_with_next(replace(user, rhythm=Rhythm.QUIET), None), None, None, (), ())
    due = list(_due(user, now))
    skipped = tuple(_holes(user, due))
    send_at = _send_at(user, due[-1], now)
    awake = _resumed(user, by_itself=True)
    if send_at:
        awake = _asked(awake)
    awake = replace(awake, last_day=due[-1].day)
    missed = tuple(due if send_at is None else due[:-1])
    return Plan(_with_next(awake, upcoming(awake, now)), due[-1] if send_at else None, send_at, missed, skipped)


def upcoming(user: User, now: datetime) -> Slot | None:
    """Return the first slot after `now` at which to ask `user`; None if there isn't one."""
    if user.step is not Step.READY or user.blocked_at or user.rhythm is Rhythm.QUIET:
        return None
    if user.ask_at is None or user.zone is None or (user.paused_at and user.paused_until is None):
        return None
    return next_slot(now, user.ask_at, user.zone, days=user.days, last_day=_not_before(user))


def _not_before(user: User) -> date | None:
    """Return the last local date on which the last Ask, the pause or the rhythm rules out an Ask; None if none does."""
    last_day = user.last_day
    if user.rhythm is Rhythm.WEEKLY and last_day:
        last_day += _WEEK - _DAY
    if user.paused_until:
        eve = user.paused_until - _DAY
        last_day = max(last_day or eve, eve)
    return last_day


def changed(before: User, after: User, now: datetime) -> tuple[User, tuple[SkippedSpan, ...]]:
    """Return `after` with its next Ask planned, and the SkippedSpans passed since `before.last_day`.

    However the facts change, no date is asked twice, and no date that was to be asked is lost.
    """
    if after.zone is None:
        return after, ()
    slot = _changed_slot(before, after, now)
    today = local_date(now, after.zone)
    # Today is still open, unless no Ask was still to come today and none is planned for it now.
    is_over = _is_plain(after) and slot is not None and slot.day > today and not _was_ahead(before, today)
    until = today if is_over else today - _DAY
    if slot:
        until = min(until, slot.day - _DAY)
    skipped = tuple(_skipped(before, until, here=local_date(now, before.zone) if before.zone else None))
    last_day = skipped[-1].last if skipped else after.last_day
    return _with_next(replace(after, last_day=last_day), slot), skipped


def placed(user: User, zone: str, day: date, now: datetime, *, is_open: bool) -> tuple[User, tuple[SkippedSpan, ...]]:
    """Return `user` with the zone they have just told us, and the SkippedSpans passed since their first Ask.

    That Ask was sent before we knew the zone, on `day` by this zone's calendar. If it `is_open` and its hour is still
    to come on that day, it comes again then; otherwise `day` has had its Ask.
    """
    at = replace(user, last_day=day - _DAY)
    after, skipped = changed(at, replace(at, zone=zone), now)
    if is_open and after.next_ask_day == day:
        return after, skipped
    at = replace(user, last_day=day)
    return changed(at, replace(at, zone=zone), now)


def asked_now(user: User, day: date, now: datetime) -> tuple[User, tuple[SkippedSpan, ...]]:
    """Return `user` after they asked for the question of `day` before its hour or during a pause."""
    skipped = tuple(_skipped(user, day - _DAY))
    after = replace(user, last_day=max(day, user.last_day or day))
    return _with_next(after, upcoming(after, now)), skipped


def resumed(user: User, now: datetime) -> User:
    """End the user's pause. If it has lasted beyond a day, step down, so that the first question is a lighter one."""
    lasted = user.paused_at and user.zone and local_date(user.paused_at, user.zone) < local_date(now, user.zone)
    return _resumed(user, by_itself=False, step_down=bool(lasted))


def _resumed(user: User, *, by_itself: bool, step_down: bool = True) -> User:
    if user.paused_at is None:
        return user
    user = replace(user, paused_at=None, paused_until=None)
    if step_down:
        user = stepped_down(user)
    return replace(user, to_say=AskOpening.RESUMED) if by_itself else user


def stepped_down(user: User) -> User:
    """Make the user's questions one notch lighter."""
    return replace(user, depth=max(DEPTH_AT_START, user.depth - 1), comfortable=0)


def paused_for(user: User, dates: int, now: datetime) -> date:
    """Return the local date on which questions start again after `dates` local dates without one."""
    if user.zone is None:
        raise ValueError("the user has no zone yet")
    today = local_date(now, user.zone)
    is_open = _was_ahead(user, today) or (user.paused_at and (user.last_day is None or user.last_day < today))
    return today + (dates if is_open else dates + 1) * _DAY


def _asked(user: User) -> User:
    """Count one more Ask. After too many without an answer, this one announces that Asks will come less often."""
    unanswered, rhythm, to_say = user.unanswered, user.rhythm, user.to_say
    if rhythm is Rhythm.DAILY and unanswered >= SLOW_AFTER:
        rhythm, unanswered = Rhythm.WEEKLY, 0
        to_say = AskOpening.SLOWED if len(user.days) > 1 else to_say
    unanswered += 1
    if rhythm is Rhythm.WEEKLY and unanswered == QUIET_AFTER:
        to_say = AskOpening.LAST
    return replace(user, rhythm=rhythm, unanswered=unanswered, to_say=to_say)


def _due(user: User, now: datetime) -> Iterator[Slot]:
    """Yield the slots due by `now`: the planned one, and later ones no further back than CATCH_UP."""
    slot, awake = user.planned, _resumed(user, by_itself=True)
    while slot and slot.at <= now:
        yield slot
        slot = upcoming(replace(awake, last_day=slot.day), max(slot.at, now - CATCH_UP))


def _send_at(user: User, slot: Slot, now: datetime) -> datetime | None:
    """Return when to send the Ask of a slot that is found at `now`; None if it is too late.

    An Ask at the hour its user chose is never held back, not even by the user's quiet hours; only a late one is.
    """
    if now - slot.at > MISS_AFTER:
        return None
    if now - slot.at <= PUNCTUAL or user.quiet is None or user.zone is None:
        return now
    send_at = after_quiet(now, user.zone, user.quiet)
    following = upcoming(replace(user, last_day=slot.day, paused_at=None, paused_until=None), slot.at)
    return send_at if following is None or send_at < following.at else None


def too_late(user: User, promised: datetime, now: datetime) -> bool:
    """Return whether at `now` it is too late to send an Ask promised for `promised`, although it was planned in time.

    The limit is MISS_AFTER, extended to the end of quiet hours, plus PUNCTUAL for the wait in the outbox.
    """
    last = promised + MISS_AFTER
    if user.quiet and user.zone and now > last:
        last = after_quiet(last, user.zone, user.quiet)
    return now > last + PUNCTUAL


def not_asked(user: User, opening: AskOpening | None) -> User:
    """Return `user` after a planned Ask couldn't be sent: it doesn't count, and the next Ask gets its opening."""
    return replace(user, unanswered=max(0, user.unanswered - 1), to_say=user.to_say or opening)


def _holes(user: User, due: list[Slot]) -> Iterator[SkippedSpan]:
    for slot in due:
        yield from _skipped(user, slot.day - _DAY)
        user = replace(_resumed(user, by_itself=True), last_day=slot.day)


def _skipped(user: User, until: date, *, here: date | None = None) -> Iterator[SkippedSpan]:
    """Yield the SkippedSpans from the day after `last_day` to `until`, with the reasons given by the user's state.

    For a user who has just moved to another zone, `here` is today's date in the old one.
    """
    if user.last_day is None:
        return
    dates = (user.last_day + ahead * _DAY for ahead in range(1, (until - user.last_day).days + 1))
    for kind, days in groupby(dates, key=lambda day: _why(user, day, here)):
        found = list(days)
        yield SkippedSpan(kind, found[0], found[-1])


def _why(user: User, day: date, here: date | None) -> SkipReason:
    if user.step is not Step.READY or user.blocked_at:
        return SkipReason.AWAY if user.blocked_at else SkipReason.START
    if user.paused_at and (user.paused_until is None or day < user.paused_until):
        return SkipReason.PAUSED
    if day.weekday() not in user.days:
        return SkipReason.OFF
    if user.rhythm is not Rhythm.DAILY:
        return SkipReason.SLOWED
    if user.ask_at and user.zone and instant(day, user.ask_at, user.zone) is None:
        return SkipReason.JUMPED
    return SkipReason.JUMPED if here and day > here else SkipReason.MISSED


def _changed_slot(before: User, after: User, now: datetime) -> Slot | None:
    planned, last_day = before.planned, _not_before(after)
    if upcoming(after, now) is None or after.ask_at is None or after.zone is None:
        return None
    if (
        planned
        and planned.at > now - MISS_AFTER
        and planned.day < local_date(now, after.zone)
        and planned.day.weekday() in after.days
        and (last_day is None or last_day < planned.day)
    ):  # moving east ended that day before its hour came: ask at once, so that the day isn't lost
        return Slot(planned.day, now)
    return changed_slot(now, planned, after.ask_at, after.zone, days=after.days, last_day=last_day)


def _is_plain(user: User) -> bool:
    """Return whether the user is asked on each of their chosen days."""
    return user.reachable and user.rhythm is Rhythm.DAILY


def _was_ahead(user: User, today: date) -> bool:
    """Return whether today's Ask was still to come."""
    return user.planned is not None and user.planned.day <= today


def _with_next(user: User, slot: Slot | None) -> User:
    return replace(user, next_ask_at=slot.at if slot else None, next_ask_day=slot.day if slot else None)
