"""The start: the first question comes before hour and clock, and its local date is settled with the zone."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.model import AskState, SkippedSpan, SkipReason, Step
from bot.domain.results import Asked, ClockWanted, ConsentWanted, HourWanted, Kept, Ready, Result, Unclear
from tests.services.conftest import ALICE, House

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


async def finishes(house: House, *, at: time = time(8), zone: str = "Europe/London") -> Ready:
    await house.does(ALICE, house.start.set_hour, at)
    ready = await house.does(ALICE, house.zones.set, zone)
    assert isinstance(ready, Ready)
    return ready


async def skipped(house: House) -> list[SkippedSpan]:
    async with house.store.reading() as rows:
        return await rows.skipped.of(ALICE)


async def test_question_precedes_hour_and_clock(house: House) -> None:
    house.clock.set(NOON)
    assert await house.next_step(ALICE) == ConsentWanted()
    asked = await house.agrees(ALICE)
    assert isinstance(asked, Asked)
    assert (await house.user(ALICE)).step is Step.HOUR
    kept = await house.says(ALICE, "In my back.", 1)
    assert isinstance(kept, Kept)
    assert kept.first
    assert await house.next_step(ALICE) == HourWanted(begun=True)
    assert await house.does(ALICE, house.start.set_hour, time(20, 30)) == ClockWanted()
    tomorrow = datetime(2026, 11, 23, 20, 30, tzinfo=UTC)
    assert await house.does(ALICE, house.zones.set, "Europe/London") == Ready(tomorrow, begun=True)


async def test_agreeing_again_puts_no_second_question(house: House) -> None:
    first = await house.agrees(ALICE)
    again = await house.agrees(ALICE)
    assert isinstance(first, Asked)
    assert isinstance(again, Asked)
    assert (again.ask_id, again.prompt_id) == (first.ask_id, first.prompt_id)
    await finishes(house)
    before = await house.user(ALICE)
    assert isinstance(await house.agrees(ALICE), Ready)
    assert await house.user(ALICE) == before


async def test_open_question_returns_at_its_hour(house: House) -> None:
    house.clock.set(NOON)
    first = await house.agrees(ALICE)
    assert await house.does(ALICE, house.start.hour_first) == HourWanted()
    ready = await finishes(house, at=time(20, 30))
    assert ready == Ready(NOON.replace(hour=20, minute=30))
    asked = await house.is_asked(ALICE)
    assert isinstance(first, Asked)
    assert (asked.ask_id, asked.prompt_id) == (first.ask_id, first.prompt_id)
    tomorrow = await house.is_asked(ALICE)
    assert tomorrow.ask_id != first.ask_id
    assert (await house.user(ALICE)).last_day == date(2026, 11, 23)


@pytest.mark.parametrize("act", ["answer", "skip", "today"])
async def test_settled_question_does_not_return(house: House, act: str) -> None:
    house.clock.set(NOON)
    first = await house.agrees(ALICE)
    assert isinstance(first, Asked)
    await finishes(house, at=time(20, 30))
    if act == "answer":
        await house.says(ALICE, "In my back.", 1)
    elif act == "skip":
        await house.does(ALICE, house.asks.skip, first.ask_id)
    else:
        shown = await house.does(ALICE, house.asks.today)
        assert shown.next_at == NOON.replace(day=23, hour=20, minute=30)
    asked = await house.is_asked(ALICE)
    assert asked.ask_id != first.ask_id
    assert house.clock.now() == NOON.replace(day=23, hour=20, minute=30)


async def test_open_question_outlasts_its_hour(house: House) -> None:
    house.clock.set(NOON)
    first = await house.agrees(ALICE)
    assert isinstance(first, Asked)
    assert await finishes(house) == Ready(NOON.replace(day=23, hour=8))
    kept = await house.says(ALICE, "In my back.", 1)
    assert isinstance(kept, Kept)
    assert (await house.ask(ALICE, first.ask_id)).state is AskState.ANSWERED


@pytest.mark.parametrize(
    ("kept_at", "zone", "day"),
    [
        (datetime(2026, 11, 22, 22, 50, tzinfo=UTC), "Europe/Berlin", date(2026, 11, 22)),
        (datetime(2026, 11, 22, 23, 10, tzinfo=UTC), "Europe/Berlin", date(2026, 11, 23)),
        (datetime(2026, 11, 23, 4, 50, tzinfo=UTC), "America/New_York", date(2026, 11, 22)),
        (datetime(2026, 11, 23, 5, 10, tzinfo=UTC), "America/New_York", date(2026, 11, 23)),
        (datetime(2026, 11, 22, 9, 50, tzinfo=UTC), "Pacific/Kiritimati", date(2026, 11, 22)),
        (datetime(2026, 11, 22, 10, 10, tzinfo=UTC), "Pacific/Kiritimati", date(2026, 11, 23)),
        (datetime(2026, 11, 23, 10, 50, tzinfo=UTC), "Pacific/Pago_Pago", date(2026, 11, 22)),
        (datetime(2026, 11, 23, 11, 10, tzinfo=UTC), "Pacific/Pago_Pago", date(2026, 11, 23)),
    ],
)
@pytest.mark.parametrize("later", [timedelta(minutes=1), 3 * HOUR, 2 * DAY])
async def test_first_line_keeps_its_date(
    house: House, kept_at: datetime, zone: str, day: date, later: timedelta
) -> None:
    house.clock.set(kept_at)
    asked = await house.agrees(ALICE)
    kept = await house.says(ALICE, "In my back.", 1)
    assert isinstance(kept, Kept)
    house.clock.advance(later)
    ready = await finishes(house, zone=zone)
    assert isinstance(asked, Asked)
    assert (await house.ask(ALICE, asked.ask_id)).day == day
    found = await house.line(ALICE, kept.line_id)
    assert found
    assert found[0].day == day
    here = house.clock.now().astimezone(ZoneInfo(zone))
    following = ready.first_at.astimezone(ZoneInfo(zone))
    assert following.date() > day
    assert following.date() == here.date() + (DAY if here.date() == day or here.time() >= time(8) else timedelta())
    spans = await skipped(house)
    passed = (following.date() - day).days - 1
    assert sum((span.last - span.first).days + 1 for span in spans) == passed
    assert {span.reason for span in spans} <= {SkipReason.START}


async def test_earlier_versions_start_goes_on(house: House) -> None:
    """Then the hour and the clock came before the first question."""
    async with house.store.writing(ALICE) as rows:
        await rows.users.add(ALICE, "en", house.clock.now())
    assert await house.next_step(ALICE) == HourWanted()
    assert await house.does(ALICE, house.start.set_hour, time(8)) == ClockWanted()
    ready = await house.does(ALICE, house.zones.set, "Europe/London")
    assert ready == Ready(datetime(2026, 11, 23, 8, tzinfo=UTC))


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "GMT+2", "../etc/passwd", ""])
async def test_unknown_zone_is_asked_again(house: House, zone: str) -> None:
    before = await house.arrives(ALICE)
    assert await house.does(ALICE, house.zones.set, zone) == ClockWanted(Unclear.PLACE)
    assert await house.user(ALICE) == before


@pytest.mark.parametrize(
    ("typed", "result"),
    [
        ("8pm", ClockWanted(Unclear.CLOCK)),
        ("20:03", ClockWanted(Unclear.CLOCK)),
        ("25:00", ClockWanted(Unclear.TIME)),
        ("8:77", ClockWanted(Unclear.TIME)),
        ("Back", ClockWanted()),
        ("Zurück", ClockWanted()),
    ],
)
async def test_typed_time_is_answered_as_such(house: House, typed: str, result: Result) -> None:
    house.clock.set(datetime(2026, 11, 22, 12, 20, tzinfo=UTC))
    await house.arrives(ALICE)
    assert await house.does(ALICE, house.zones.place_said, typed) == result
