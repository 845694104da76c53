"""Old buttons about a user's own days and data do nothing after another decision, and say so."""

from datetime import time, timedelta

from bot.domain.results import DailyAgain, Erased, EraseLeft, EraseWanted, HourMoved, OfferLeft, Paused
from bot.services.pairing import Pairing
from bot.services.privacy import Privacy
from tests.services.conftest import ALICE, House


async def test_offered_hour_yields_to_newer(house: House) -> None:
    user = await house.arrives(ALICE, at=time(8))
    assert user.ask_at == time(8)
    moved = await house.does(ALICE, house.pace.move_hour, time(22, 30), time(8))
    assert isinstance(moved, HourMoved)
    assert await house.does(ALICE, house.pace.move_hour, time(22, 30), time(8)) == moved, "tapped twice"
    await house.does(ALICE, house.settings.set_hour, time(19))
    before = await house.user(ALICE)
    assert await house.does(ALICE, house.pace.move_hour, time(22, 30), time(8)) == OfferLeft()
    assert await house.user(ALICE) == before


async def test_daily_button_ends_no_pause(house: House) -> None:
    user = await house.arrives(ALICE)
    assert await house.does(ALICE, house.pace.daily) == DailyAgain(user.next_ask_at or house.clock.now())
    await house.does(ALICE, house.pause.until_told)
    assert await house.does(ALICE, house.pace.daily) == Paused(None, already=True)


async def test_old_erase_spares_a_new_life(house: House) -> None:
    """Everything was erased by one card, and the user is back within the hour; the other card is still there."""
    privacy = Privacy(Pairing())
    await house.arrives(ALICE)
    asked = house.clock.now()
    house.clock.advance(timedelta(minutes=5))
    assert await house.does(ALICE, privacy.erase, asked) == Erased()
    assert await privacy.keep(None, house.clock.now()) == EraseWanted(house.clock.now(), nothing=True)
    house.clock.advance(timedelta(minutes=5))
    await house.arrives(ALICE)
    assert await house.does(ALICE, privacy.erase, asked) == EraseWanted(house.clock.now())
    user = await house.user(ALICE)
    assert await privacy.keep(user, house.clock.now()) == EraseLeft()
    assert await house.does(ALICE, privacy.erase, house.clock.now()) == Erased()
