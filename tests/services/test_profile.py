"""The hour, the zone, the pause, the name, being blocked."""

from datetime import UTC, date, datetime, time, timedelta

from bot.domain.results import EmptyText, NameSetting, Paused, PauseDayWanted, Resumed
from bot.services.planning import replan
from tests.samples import on_both
from tests.services.conftest import ALICE, House

TOMORROW_AT_8 = datetime(2026, 11, 23, 8, tzinfo=UTC)
DAY = timedelta(days=1)


async def test_coming_hour_is_asked_today(house: House) -> None:
    await house.arrives(ALICE)
    await house.does(ALICE, replan, ask_at=time(20, 30))
    assert (await house.user(ALICE)).next_ask_at == datetime(2026, 11, 22, 20, 30, tzinfo=UTC)


async def test_new_hour_repeats_no_asked_date(house: House) -> None:
    await house.arrives(ALICE)
    await house.is_asked(ALICE)
    await house.does(ALICE, replan, ask_at=time(20, 30))
    assert (await house.user(ALICE)).next_ask_at == datetime(2026, 11, 24, 20, 30, tzinfo=UTC)
    house.clock.set(datetime(2026, 11, 23, 23, tzinfo=UTC))
    assert (await house.plan()).looked_at == 0


async def test_moving_repeats_no_date(house: House) -> None:
    await house.arrives(ALICE)
    first = await house.is_asked(ALICE)
    await house.does(ALICE, replan, zone="Pacific/Honolulu")  # there it is still the day before
    second = await house.is_asked(ALICE)
    days = [(await house.ask(ALICE, asked.ask_id)).day for asked in (first, second)]
    assert days[1] == days[0] + DAY


async def test_pause_leaves_no_pile(house: House) -> None:
    await house.arrives(ALICE)
    assert await house.does(ALICE, house.pause.until_told) == Paused()
    assert await house.does(ALICE, house.pause.wanted) == Paused(already=True)
    house.clock.advance(5 * DAY)
    assert (await house.plan()).looked_at == 0
    resumed = await house.does(ALICE, house.pause.resume)
    assert resumed == Resumed(TOMORROW_AT_8 + 5 * DAY)
    assert (await house.plan()).looked_at == 0
    assert await house.does(ALICE, house.pause.resume) == Resumed(TOMORROW_AT_8 + 5 * DAY, was_paused=False)


async def test_pause_calendar_starts_on_free_day(house: House) -> None:
    await house.arrives(ALICE)
    for today, month in ((29, 11), (30, 12)):
        house.clock.set(datetime(2026, 11, today, 12, tzinfo=UTC))
        shown = await house.does(ALICE, house.pause.day_wanted)
        assert isinstance(shown, PauseDayWanted)
        assert shown.month == date(2026, month, 1)


async def test_pause_ends_on_its_own(house: House) -> None:
    await house.arrives(ALICE)
    assert await house.does(ALICE, house.pause.dates, 3) == Paused(TOMORROW_AT_8 + 3 * DAY)
    house.clock.set(TOMORROW_AT_8 + 2 * DAY)
    assert (await house.plan()).asked == 0
    await house.is_asked(ALICE)
    assert house.clock.now() == TOMORROW_AT_8 + 3 * DAY
    assert (await house.user(ALICE)).paused_at is None


async def test_blocking_user_keeps_everything(house: House) -> None:
    await house.arrives(ALICE)
    await house.does(ALICE, house.profile.blocked)
    house.clock.advance(3 * DAY)
    assert (await house.plan()).looked_at == 0
    await house.does(ALICE, house.profile.unblocked)
    user = await house.user(ALICE)
    assert (user.blocked_at, user.next_ask_at) == (None, TOMORROW_AT_8 + 3 * DAY)


async def test_pause_goes_on_through_a_block(house: House) -> None:
    await house.arrives(ALICE)
    await house.does(ALICE, house.pause.until_told)
    await house.does(ALICE, house.profile.blocked)
    await house.does(ALICE, house.profile.unblocked)
    assert (await house.user(ALICE)).next_ask_at is None


async def test_language_follows_the_users_telegram(house: House) -> None:
    await house.arrives(ALICE)
    assert (await house.does(ALICE, house.profile.follow_language, "de")).language == "de"
    assert (await house.user(ALICE)).language == "de"


@on_both("", [()], [()])
async def test_invisible_name_is_not_called_too_long(house: House) -> None:
    await house.arrives(ALICE)
    for invisible in ("\u200e", "\u2800" * 50):
        assert await house.does(ALICE, house.settings.name_said, invisible) == EmptyText()
    assert await house.does(ALICE, house.settings.name_said, "x" * 50) == NameSetting(unclear=True)
