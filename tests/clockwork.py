"""A second opinion on local time that shares nothing with bot.domain.times but the tz database.

It never turns local time into UTC. It walks along UTC and looks at the clock on the wall: a slot is the first moment
at which that clock has reached the wanted time of the wanted date, and a date exists if the clock ever shows it.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from bot.domain.times import is_zone

QUARTER = timedelta(minutes=15)
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a reading of the clock on the wall has no zone


def all_zones() -> list[str]:
    return sorted(filter(is_zone, available_timezones()))


def walls(zone: str, start: datetime, end: datetime, step: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """Yield each moment from `start` to `end` with what the clock on the wall shows at that moment."""
    rules, moment = ZoneInfo(zone), start
    while moment <= end:
        yield moment, moment.astimezone(rules).replace(tzinfo=None)
        moment += step


class Walk:
    """Return the slots at every step of the day between two instants, as a walk along UTC finds them.

    `step` must divide every offset and every change in that time; since 1990 all of them are multiples of a quarter of
    an hour.
    """

    def __init__(self, zone: str, start: datetime, end: datetime, step: timedelta = QUARTER) -> None:
        self._step, self._dates, self._reached = step, set[date](), list[datetime]()
        for moment, wall in walls(zone, start, end, step):
            reading, rest = divmod(wall - EPOCH, step)
            assert not rest, f"{zone} shows {wall}: too coarse a step"
            if not self._reached:
                self._first = reading
            self._dates.add(wall.date())
            # What the clock has passed or jumped over by now was reached just now. A clock turned back reaches nothing.
            missing = reading - self._first - len(self._reached) + 1
            self._reached.extend([moment] * missing)

    def slot(self, day: date, at: time) -> datetime | None:
        if day not in self._dates:
            return None
        return self._reached[(datetime.combine(day, at) - EPOCH) // self._step - self._first]

    def days(self) -> list[date]:
        """Return the dates that were seen from beginning to end."""
        return sorted(self._dates)[1:-1]


def quarters() -> list[time]:
    return [time(*divmod(minutes, 60)) for minutes in range(0, 24 * 60, 15)]


def behaviour(zone: str, moments: Iterable[datetime]) -> tuple[timedelta, ...]:
    """Return the offsets at these moments; two zones with the same offsets are the same clock."""
    rules = ZoneInfo(zone)
    return tuple(moment.astimezone(rules).utcoffset() or timedelta() for moment in moments)


def utc(text: str) -> datetime:
    """Read "2026-03-29 01:00" as an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
