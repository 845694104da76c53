"""28 a second, on the dot, and nobody who asked us to wait is pressed. Measured on a loop whose time is exact."""

import asyncio
from datetime import timedelta

import pytest

from bot.delivery.pacer import RATE, Pacer
from tests.delivery.handloop import run

SECOND = timedelta(seconds=1)
ALICE, BOB = 1, 2


def now() -> float:
    return asyncio.get_running_loop().time()


async def turns(pacer: Pacer, count: int) -> list[float]:
    """When each of so many who came at once had their turn."""
    moments: list[float] = []

    async def one() -> None:
        await pacer.turn()
        moments.append(now())

    await asyncio.gather(*(one() for _ in range(count)))
    return moments


def most_in_a_second(moments: list[float]) -> int:
    return max(sum(start <= moment < start + 1 - 1e-9 for moment in moments) for start in moments)


def test_28_a_second_and_no_burst() -> None:
    moments = run(turns(Pacer(), 10 * RATE + 1))
    assert most_in_a_second(moments) == RATE
    assert moments[-1] - moments[0] == pytest.approx(10)


def test_an_idle_time_is_not_saved_up() -> None:
    async def play() -> list[float]:
        pacer = Pacer()
        await turns(pacer, 5)
        await asyncio.sleep(100)
        return await turns(pacer, 2 * RATE)

    assert most_in_a_second(run(play())) == RATE


def test_answers_are_counted_too() -> None:
    async def play() -> float:
        pacer = Pacer()
        for _ in range(RATE):
            pacer.spend()
        await pacer.turn()
        return now()

    assert run(play()) == pytest.approx(1)


def test_one_who_held_us_off_waits_and_nobody_else() -> None:
    async def play() -> None:
        pacer = Pacer()
        pacer.hold(ALICE, 5 * SECOND)
        assert pacer.wait_for(ALICE) == 5 * SECOND
        assert pacer.wait_for(BOB) == timedelta()
        assert not pacer.holds_all
        await pacer.turn()
        assert now() == 0
        await asyncio.sleep(5)
        assert pacer.wait_for(ALICE) == timedelta()

    run(play())


def test_two_who_held_us_off_hold_everything() -> None:
    async def play() -> None:
        pacer = Pacer()
        pacer.hold(ALICE, 3 * SECOND)
        await asyncio.sleep(1)
        pacer.hold(BOB, 7 * SECOND)
        assert pacer.holds_all
        assert pacer.wait_for(99) == 7 * SECOND
        await pacer.turn()
        assert now() == pytest.approx(8)
        assert not pacer.holds_all

    run(play())


def test_two_who_held_us_off_hold_nobody_else_where_others_can_be_written_to() -> None:
    async def play() -> None:
        pacer = Pacer()
        pacer.hold(ALICE, 300 * SECOND)
        pacer.went()
        pacer.hold(BOB, 300 * SECOND)
        assert not pacer.holds_all
        pacer.hold(99, SECOND)
        assert pacer.holds_all, "nobody could be written to in between"

    run(play())


def test_after_a_while_somebody_else_is_tried() -> None:
    """It may be two chats that hold us off, of thousands."""

    async def play() -> None:
        pacer = Pacer()
        pacer.hold(ALICE, 300 * SECOND)
        pacer.hold(BOB, 300 * SECOND)
        assert pacer.wait_for(99) == 30 * SECOND
        await asyncio.sleep(30)
        assert not pacer.holds_all
        pacer.hold(99, 300 * SECOND)
        assert pacer.wait_for(98) == 30 * SECOND, "all are held after all"
        await asyncio.sleep(30)
        pacer.went()
        pacer.hold(97, 300 * SECOND)
        assert not pacer.holds_all

    run(play())


def test_two_after_each_other_hold_nobody_else() -> None:
    async def play() -> None:
        pacer = Pacer()
        pacer.hold(ALICE, SECOND)
        await asyncio.sleep(1)
        pacer.hold(BOB, SECOND)
        assert not pacer.holds_all

    run(play())


def test_a_clock_set_back_stops_nothing() -> None:
    """The loop's clock is steady, but a Pacer may be given another."""
    hands = 1000.0

    async def play() -> None:
        nonlocal hands
        pacer = Pacer(now=lambda: hands)
        await pacer.turn()
        hands = 10.0
        await asyncio.wait_for(pacer.turn(), 1)

    run(play())
