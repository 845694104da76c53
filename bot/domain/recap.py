"""The recap: the weeks it shows, and when it comes by itself."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Final

from bot.domain.feelings import Feeling, distinct
from bot.domain.model import Rhythm, User
from bot.domain.times import after_quiet, next_weekly

WEEKS: Final = 8
_SUNDAY: Final = 6
_FROM: Final = time(16, 0)
_SPREAD: Final = timedelta(hours=2)
"""The recaps of one zone start on Sunday at _FROM and are spread over this time: all at once, most would be late."""
_TOO_LATE: Final = timedelta(hours=18)
"""Past Monday morning a recap is about another week."""
_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(weeks=1)


def due_after(user: User, moment: datetime) -> datetime | None:
    """Return when the user's next recap comes after `moment`; None if none comes by itself.

    It comes on Sunday afternoon by the user's own clock, but not during a pause, and not while the bot asks less often
    because the user doesn't answer.
    """
    if not (user.wants_recap and user.reachable and user.zone and user.rhythm is Rhythm.DAILY):
        return None
    own = timedelta(seconds=user.id % int(_SPREAD.total_seconds()))
    return next_weekly(moment - own, _SUNDAY, _FROM, user.zone).at + own


def put_off_until(user: User, now: datetime) -> datetime | None:
    """Return when a recap that is due at `now` can be sent: `now`, later because of quiet hours, or None if too late.

    Its user may have moved to another zone or changed their quiet hours since it was planned.
    """
    latest = due_after(user, now - _WEEK)
    if latest is None or user.zone is None:
        return None
    if now - latest > _TOO_LATE:
        following = due_after(user, now)
        return following if following and following - now < _DAY else None
    return after_quiet(now, user.zone, user.quiet) if user.quiet else now


def weeks_until(today: date) -> tuple[date, ...]:
    """Return the first date of each of the WEEKS weeks that end with `today`, oldest first."""
    return tuple(today - _DAY * (7 * ago + 6) for ago in reversed(range(WEEKS)))


def by_week(words: Iterable[tuple[date, tuple[Feeling, ...]]], today: date) -> dict[date, tuple[Feeling, ...]]:
    """Return the words added in each of these weeks, by its first date; each word once a week, the earliest first.

    `words` are those of each Line, by its local date, the latest Line first.
    """
    found: dict[date, list[Feeling]] = {first: [] for first in weeks_until(today)}
    for day, feelings in reversed(list(words)):
        first = today - _DAY * ((today - day).days // 7 * 7 + 6)
        if first in found:
            found[first] += feelings
    return {first: distinct(feelings) for first, feelings in found.items()}


def kept_lately(day: date, today: date) -> bool:
    """Return whether a Line of this local date belongs to the latest week."""
    return (today - day).days < 7  # noqa: PLR2004  # days of a week
