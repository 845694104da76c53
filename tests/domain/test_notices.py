"""When the bot can write to somebody first."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from bot.domain.model import User
from bot.domain.notices import free_at
from bot.domain.times import local

NOW = datetime(2027, 3, 27, 20, 0, tzinfo=UTC)
LATE = datetime(2027, 3, 27, 23, 0, tzinfo=UTC)  # midnight in Berlin, before the clocks change
HOUR = timedelta(hours=1)
ANYBODY = User(1, "en", NOW - 9 * HOUR, zone="Europe/Berlin", quiet_from=time(22), quiet_to=time(7))


@pytest.mark.parametrize("asked_for", [False, True])
def test_quiet_hours_delay_until_they_end(asked_for: bool) -> None:  # a parameter of the test
    assert free_at(ANYBODY, NOW, asked_for=asked_for) == NOW
    assert local(free_at(ANYBODY, LATE, asked_for=asked_for), "Europe/Berlin").time() == time(7)
    assert free_at(replace(ANYBODY, zone=None), LATE, asked_for=asked_for) == LATE, (
        "nobody knows when it is night there"
    )


def test_pause_delays_what_nobody_asked_for() -> None:
    paused = replace(ANYBODY, paused_at=NOW, next_ask_at=NOW + 50 * HOUR)
    assert free_at(paused, NOW) == NOW + 50 * HOUR
    assert free_at(replace(paused, next_ask_at=None), NOW) > NOW + 24 * HOUR
    assert free_at(paused, NOW, asked_for=True) == NOW


def test_blocking_user_is_tried_later() -> None:
    assert free_at(replace(ANYBODY, blocked_at=NOW), NOW) > NOW
