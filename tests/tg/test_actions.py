"""The data of a button is read back as it was written, and a forged button is refused."""

import re
from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from bot.domain.content import Wish
from bot.domain.sharing import When
from bot.domain.times import Later
from bot.domain.zones import Region
from bot.tg import actions
from bot.tg.actions import ACTIONS, LONG_GONE, Action, NotOurs, unpack

AT = datetime(2026, 12, 24, 20, 30, tzinfo=UTC)
BIGGEST = (1 << 63) - 1


@pytest.mark.parametrize(
    ("action", "about"),
    [
        (actions.TODAY, ()),
        (actions.ANOTHER, (BIGGEST,)),
        (actions.SNOOZE, (Later.TONIGHT, 7)),
        (actions.CHANGE_LINE, (7, 2)),
        (actions.MOVE_HOUR, (time(22, 15), time(8))),
        (actions.MOVE_HOUR, (time(22, 15), None)),
        (actions.START_HOUR, (None,)),
        (actions.START_HOUR, (time(8),)),
        (actions.MY_CLOCK, (-210,)),
        (actions.SET_DAYS, (frozenset({0, 6}),)),
        (actions.TOGGLE_DAY, (6, False)),
        (actions.SET_QUIET, ((time(22), time(7)),)),
        (actions.SET_QUIET, (None,)),
        (actions.SET_LANGUAGE, (None,)),
        (actions.SET_LANGUAGE, ("de",)),
        (actions.MY_ZONE, ("America/Argentina/Buenos_Aires",)),
        (actions.REGION, (Region.ASIA, 2)),
        (actions.PAUSE_UNTIL, (date(2026, 12, 24),)),
        (actions.PAUSE_MONTH, (date(2026, 12, 1),)),
        (actions.SHARE_WISH, (Wish.LISTEN, None, 7)),
        (actions.SHARE_AT, (When.HOUR, AT, BIGGEST)),
        (actions.SHARE_TIME, (AT, AT, BIGGEST)),
        (actions.SHARE_USE, (7, None)),
        (actions.REPLY_SEND, (7, 8)),
        (actions.REPLY_SEND, (7, None)),
        (actions.LANDED, (False, 7)),
        (actions.ERASE, (AT,)),
    ],
)
def test_button_data_is_read_back(action: Action[Any], about: tuple[Any, ...]) -> None:
    packed = action(*about).pack()
    tap = unpack(packed)
    assert (tap.action, action.read(tap)) == (action.name, about)


@pytest.mark.parametrize(
    ("data", "about"),
    [
        ("v1:change:7", (7, 0)),
        ("v1:share_at:hour.7", (When.HOUR, LONG_GONE, 7)),
        ("v1:share_days:7", (LONG_GONE, 7)),
        ("v1:share_use:7", (7, None)),
        ("v1:move_hour:2215", (time(22, 15), None)),
        ("v1:toggle_day:3", (3, None)),
        ("v1:toggle_theme:body", ("body", None)),
        ("v1:pair_back:", (0,)),
        ("v1:rit_write:", (LONG_GONE,)),
        ("v1:consent:", ("",)),
        ("v1:stay:55", ()),
    ],
)
def test_earlier_button_is_understood(data: str, about: tuple[Any, ...]) -> None:
    assert _read(data) == about


@pytest.mark.parametrize(
    "data",
    [
        None,
        "",
        "v1",
        "v1:today",
        "v2:today:",
        "v1:another:",
        "v1:another:-1",
        "v1:another:١",
        "v1:another:7.8",
        f"v1:another:{1 << 63}",
        "v1:another:" + "9" * 5000,
        "v1:share_at:never.0.7",
        "v1:share_time:999999999.0.7",
        "v1:set_hour:2515",
        "v1:set_hour:noon",
        "v1:my_clock:1440",
        "v1:set_days:78",
        "v1:region:mars.0",
        "v1:region:asia.123",
        "v1:set_language:xx",
        "v1:flip:language.on",
        "v1:flip:soft_reminder.maybe",
        "v1:pause_until:20261399",
        "v1:landed:perhaps.7",
    ],
)
def test_forged_button_is_refused(data: str | None) -> None:
    with pytest.raises(NotOurs):
        _read(data)


def _read(data: str | None) -> tuple[Any, ...]:
    tap = unpack(data)
    return ACTIONS[tap.action].read(tap)


def test_action_names_fit_into_a_button() -> None:
    assert max(len(name) for name in ACTIONS) < actions.LIMIT / 2


def test_action_names_are_spelt_alike() -> None:
    assert [name for name in ACTIONS if not re.fullmatch("[a-z]+(_[a-z]+)*", name)] == []
