"""The bot's own offers: who gets them, and when."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from bot.domain.model import User
from bot.domain.pace import COMFORTABLE, TYPICAL_NEEDS, deeper, other_hour

USER = User(1, "en", ask_at=time(20, 30), zone="Europe/Berlin")
TODAY = datetime(2026, 11, 22, tzinfo=UTC)


def answers(*clocks: str) -> list[datetime]:
    """Return answers at these times on the previous days, newest first."""
    at = [time.fromisoformat(clock) for clock in clocks]
    return [TODAY - timedelta(days=ago) + timedelta(hours=of.hour, minutes=of.minute) for ago, of in enumerate(at)]


def test_distant_habit_gets_an_offer() -> None:
    assert other_hour(USER, answers(*["22:20"] * TYPICAL_NEEDS)) == time(22, 15)
    assert other_hour(USER, answers(*["22:00"] * TYPICAL_NEEDS)) is None, "not over ninety minutes away"
    assert other_hour(USER, answers(*["22:20"] * (TYPICAL_NEEDS - 1))) is None


@pytest.mark.parametrize("new", range(1, TYPICAL_NEEDS))
def test_moving_resets_the_habit(new: int) -> None:
    """Ten in the evening in Berlin was four in the afternoon in New York; the same goes for an hour just changed."""
    assert other_hour(USER, answers(*["20:35"] * new, *["14:35"] * (TYPICAL_NEEDS - new))) is None


def test_one_sleepless_night_barely_matters() -> None:
    habit = ["22:20"] * (TYPICAL_NEEDS - 1)
    assert other_hour(USER, answers("04:00", *habit)) is None
    assert other_hour(USER, answers(*habit[:3], "04:00", *habit[3:])) == time(22, 15)
    assert other_hour(USER, answers("20:45", *habit)) == time(22, 15), "still within ninety minutes of the habit"


def test_one_deeper_offer_within_the_ceiling() -> None:
    def at(
        depth: int, comfortable: int, ceiling: int, refused: int | None = None, offered: int | None = None
    ) -> int | None:
        user = User(1, "en", depth=depth, comfortable=comfortable, ceiling=ceiling)
        return deeper(replace(user, offered_depth=offered, refused_depth=refused))

    assert at(1, COMFORTABLE, 2) == 2
    assert at(1, COMFORTABLE - 1, 2) is None
    assert at(2, COMFORTABLE, 2) is None, "only its owner can raise a ceiling"
    assert at(1, COMFORTABLE, 5, refused=2) is None
    assert at(1, COMFORTABLE, 5, offered=2) is None
    assert at(2, COMFORTABLE, 5, refused=2) == 3
    assert at(1, COMFORTABLE, 5, refused=3) == 2, "what was stepped down from is offered again, up to what was refused"
    assert at(2, COMFORTABLE, 5, refused=3) is None
    assert at(3, COMFORTABLE, 5, refused=3, offered=4) is None
