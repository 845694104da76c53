"""Column types that work the same in both databases: instants, local days and hours, flags, sealed words."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any, Final

from sqlalchemy import BigInteger, Dialect, Integer, LargeBinary, Text, TypeDecorator

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


Id: Final = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits in both databases: PostgreSQL's bigint, and SQLite's integer, its only name in a STRICT table."""


def milliseconds(moment: datetime) -> int:
    """Return an instant as it is stored: milliseconds since 1970."""
    return (moment - _EPOCH) // _MS


class Instant(TypeDecorator[datetime]):
    """An aware datetime, stored as milliseconds since 1970 in UTC, which both databases order and index alike."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(Id)

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> int | None:
        return None if value is None else milliseconds(value)

    def process_result_value(self, value: Any | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + value * _MS


QUARTER: Final = timedelta(minutes=15)


def quarter_of(moment: datetime) -> datetime:
    """Return the beginning of the quarter-hour that a moment is in."""
    return moment - (moment - _EPOCH) % QUARTER


def coarse_in_order(moments: Iterable[datetime]) -> Iterator[datetime]:
    """For sorted moments, yield the quarter-hour of each, plus its position within that quarter as milliseconds."""
    for quarter, some in groupby(map(quarter_of, moments)):
        yield from (quarter + timedelta(milliseconds=place) for place, _ in enumerate(some))


class Coarse(Instant):
    """An instant stored only as precisely as we need it: rounded down to a whole `step`, in UTC."""

    cache_ok = True

    def __init__(self, step: timedelta) -> None:
        super().__init__()
        self.step = step

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> int | None:
        return None if value is None else milliseconds(value - (value - _EPOCH) % self.step)


class Day(TypeDecorator[date]):
    """A local date, stored as text: 2026-11-22."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: date | None, _dialect: Dialect) -> str | None:
        return None if value is None else value.isoformat()

    def process_result_value(self, value: Any | None, _dialect: Dialect) -> date | None:
        return None if value is None else date.fromisoformat(value)


class Hour(TypeDecorator[time]):
    """A local time of day, stored as text: 20:30."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: time | None, _dialect: Dialect) -> str | None:
        return None if value is None else value.isoformat("minutes")

    def process_result_value(self, value: Any | None, _dialect: Dialect) -> time | None:
        return None if value is None else time.fromisoformat(value)


class Flag(TypeDecorator[bool]):
    """Yes or no, stored as 1 or 0, because a STRICT table has no boolean type."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: bool | None, _dialect: Dialect) -> int | None:
        return None if value is None else int(value)

    def process_result_value(self, value: Any | None, _dialect: Dialect) -> bool | None:
        return None if value is None else bool(value)


class Weekdays(TypeDecorator[frozenset[int]]):
    """Weekdays, stored as the sum of 2**weekday, Monday being 0."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: frozenset[int] | None, _dialect: Dialect) -> int | None:
        return None if value is None else sum(1 << day for day in value)

    def process_result_value(self, value: Any | None, _dialect: Dialect) -> frozenset[int] | None:
        return None if value is None else frozenset(day for day in range(7) if value >> day & 1)


class Names(TypeDecorator[frozenset[str]]):
    """A few identifiers without spaces, stored as one text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: frozenset[str] | None, _dialect: Dialect) -> str | None:
        return None if value is None else " ".join(sorted(value))

    def process_result_value(self, value: Any | None, _dialect: Dialect) -> frozenset[str] | None:
        return None if value is None else frozenset(value.split())


class Sealed(LargeBinary):
    """A user's words or choice, encrypted with that user's data key."""
