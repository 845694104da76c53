"""28 a second, exactly, and no chat that asked for a wait is pressed. Measured on a loop whose time is exact."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

import pytest

from bot.delivery.pacer import RATE, Others, Pacer, Part
from tests.delivery.handloop import run

SECOND = timedelta(seconds=1)
ALICE, BOB = 1, 2


def now() -> float:
    return asyncio.get_running_loop().time()


async def turns(pacer: Pacer, count: int) -> list[float]:
    """Return when each of this many who came at once had their turn."""
    moments: list[float] = []

    async def one() -> None:
        await pacer.wait_turn()
        moments.append(now())

    await asyncio.gather(*(one() for _ in range(count)))
    return moments


async def free(pacer: Pacer, chat: int) -> None:
    """Wait until this chat can be written to."""
    while wait := pacer.delay_for(chat):  # noqa: ASYNC110  # it says how long, and asked again may say so again
        await asyncio.sleep(wait.total_seconds())


def most_in_a_second(moments: list[float]) -> int:
    return max(sum(start <= moment < start + 1 - 1e-9 for moment in moments) for start in moments)


def test_28_a_second_and_no_burst() -> None:
    moments = run(turns(Pacer(), 10 * RATE + 1))
    assert most_in_a_second(moments) == RATE
    assert moments[-1] - moments[0] == pytest.approx(10)


def test_waits_that_end_late_cost_no_turns() -> None:
    """Those of uvloop end at whole milliseconds."""
    moments = run(turns(Pacer(), 50 * RATE + 1), tick=0.001)
    assert most_in_a_second(moments) <= RATE + 1
    assert moments[-1] - moments[0] == pytest.approx(50, abs=0.002)


def test_idle_time_is_not_saved_up() -> None:
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
            pacer.count_sent()
        await pacer.wait_turn()
        return now()

    assert run(play()) == pytest.approx(1)


def test_one_rate_limited_chat_waits_alone() -> None:
    async def play() -> None:
        pacer = Pacer()
        pacer.back_off(ALICE, 5 * SECOND)
        assert pacer.delay_for(ALICE) == 5 * SECOND
        assert pacer.delay_for(BOB) == timedelta()
        assert not pacer.is_blocked
        await pacer.wait_turn()
        assert now() == 0
        await asyncio.sleep(5)
        assert pacer.delay_for(ALICE) == timedelta()

    run(play())


def test_two_limited_chats_leave_one_try() -> None:
    async def play() -> None:
        pacer = Pacer()
        pacer.back_off(ALICE, 300 * SECOND)
        assert pacer.delay_for(98) == pacer.delay_for(99) == timedelta(), "one alone says nothing of the others"
        pacer.back_off(BOB, 300 * SECOND)
        assert pacer.delay_for(98) == timedelta(), "this one is tried"
        assert timedelta() < pacer.delay_for(99) < SECOND
        pacer.note_success()
        assert pacer.delay_for(99) == timedelta()
        assert pacer.delay_for(BOB) == 300 * SECOND, "whoever holds us off does so still"
        pacer.back_off(97, 300 * SECOND)
        assert pacer.delay_for(99) == pacer.delay_for(96) == timedelta(), "somebody could be written to in between"

    run(play())


def test_abandoned_message_is_not_waited_for() -> None:
    """The message may have become unnecessary."""

    async def play() -> None:
        pacer = Pacer()
        for chat in (ALICE, BOB):
            pacer.back_off(chat, 300 * SECOND)
        assert pacer.delay_for(98) == timedelta()
        await asyncio.sleep(pacer.delay_for(99).total_seconds())
        assert pacer.delay_for(99) == timedelta(), "the next one is tried"
        assert pacer.delay_for(97) > timedelta()

    run(play())


def test_repeated_general_limit_grows_the_pause() -> None:
    async def play() -> list[float]:
        pacer = Pacer()
        tried = []
        for chat in range(100):
            await free(pacer, chat)
            tried.append(now())
            if now() >= 600:
                pacer.note_success()
                break
            pacer.back_off(chat, timedelta(seconds=600 - now()))
        return tried

    assert run(play()) == pytest.approx([0, 0, 0, 1, 3, 7, 15, 31, 63, 127, 191, 255, 319, 383, 447, 511, 575, 600])


def test_pause_never_exceeds_the_requested_wait() -> None:
    async def play() -> list[float]:
        pacer = Pacer()
        tried = []
        for chat in range(8):
            await free(pacer, chat)
            tried.append(now())
            pacer.back_off(chat, SECOND)
        return tried

    assert run(play()) == pytest.approx([0, 0, 0, 1, 2, 3, 4, 5])


def test_waiting_chats_try_in_turn() -> None:
    async def play() -> list[float]:
        pacer = Pacer()
        for chat in (ALICE, BOB):
            pacer.back_off(chat, 7 * SECOND)
        tried: list[float] = []

        async def writes(chat: int) -> None:
            await free(pacer, chat)
            tried.append(now())
            await asyncio.sleep(0.1)
            if now() < 7:
                pacer.back_off(chat, timedelta(seconds=7 - now()))
                await writes(chat)
            else:
                pacer.note_success()

        await asyncio.gather(*(writes(chat) for chat in range(100, 150)))
        return [moment for moment in tried if moment < 7]

    assert run(play()) == pytest.approx([0, 1.1, 3.2], abs=0.2)


def test_clock_set_back_stops_nothing() -> None:
    """The loop's clock is steady, but a Pacer can be given another."""
    hands = 1000.0

    async def play() -> None:
        nonlocal hands
        pacer = Pacer(now=lambda: hands)
        await pacer.wait_turn()
        hands = 10.0
        await asyncio.wait_for(pacer.wait_turn(), 1)

    run(play())


def test_late_turns_are_not_bunched() -> None:
    """When something holds up the event loop while several wait, all of them wake up together."""

    async def held_up() -> None:
        await asyncio.sleep(0.5)
        asyncio.get_running_loop()._jumping.now += 0.7  # type: ignore[attr-defined]

    async def play() -> list[float]:
        _, moments = await asyncio.gather(held_up(), turns(Pacer(), 5 * RATE))
        return moments

    moments = run(play())
    assert most_in_a_second(moments) <= RATE + 1
    assert moments[-1] < 5.8, "it costs no more than the time for which it was held up"


def test_short_delays_cost_no_turns_at_a_high_pace() -> None:
    """Between two turns of a fast pace something else often takes longer than their distance."""

    async def held_up() -> None:
        while True:
            await asyncio.sleep(0.01)
            asyncio.get_running_loop()._jumping.now += 0.005  # type: ignore[attr-defined]

    async def play() -> list[float]:
        others = asyncio.create_task(held_up())
        moments = await turns(Pacer(rate=1000), 2000)
        others.cancel()
        return moments

    moments = run(play())
    assert 1.95 < moments[-1] < 2.05
    assert most_in_a_second(moments) <= 1010


async def leaving(pacer: Pacer, count: int, *, stalls: Sequence[tuple[float, float]]) -> list[float]:
    """Return when each of this many messages left. No transaction ends while the disk stalls."""
    moments: list[float] = []

    async def one() -> None:
        await pacer.wait_turn()
        await asyncio.sleep(next((end - now() for begin, end in stalls if begin <= now() < end), 0))
        await pacer.wait_room()
        moments.append(now())

    await asyncio.gather(*(one() for _ in range(count)))
    return moments


STALLS = [(1.0, 1.04), (2.0, 2.3), (4.0, 4.7), (12.0, 12.1)]


@pytest.mark.parametrize("stalls", [STALLS[:1], STALLS])
def test_messages_that_a_slow_disk_has_held_up_do_not_leave_together(stalls: list[tuple[float, float]]) -> None:
    moments = run(leaving(Pacer(), 60 * RATE + 1, stalls=stalls))
    assert most_in_a_second(moments) <= RATE + 1
    assert moments[-1] == pytest.approx(60), "those after them are in time again"


def test_messages_whose_disk_is_quick_leave_with_their_turns() -> None:
    moments = run(leaving(Pacer(), 10 * RATE + 1, stalls=[]))
    assert moments == pytest.approx([index / RATE for index in range(10 * RATE + 1)])


def test_room_is_not_waited_for_when_the_clock_was_set_back() -> None:
    hands = 1000.0

    async def play() -> float:
        nonlocal hands
        pacer = Pacer(now=lambda: hands)
        for _ in range(RATE + 1):
            await pacer.wait_room()
        hands = 10.0
        await pacer.wait_room()
        return now()

    assert run(play()) == 0


@pytest.mark.parametrize("rate", [1, 28, 30, 1000])
def test_room_costs_nothing_at_any_pace(rate: int) -> None:
    pacer = Pacer(rate=rate)
    moments = run(leaving(pacer, 5 * rate + 1, stalls=[(1.0, 1.05)]))
    assert moments[-1] == pytest.approx(5)
    assert pacer.rate == rate


@pytest.mark.parametrize("count", [2, 3, 4, 7])
def test_each_process_has_room_for_its_part(count: int) -> None:
    async def play() -> list[float]:
        pacer = Pacer(alone=False)
        pacer.hear(part(0, count))
        return await leaving(pacer, 20 * RATE // count, stalls=[(2.0, 2.6)])

    moments = run(play())
    assert most_in_a_second(moments) <= RATE / count + 2
    assert moments[-1] == pytest.approx((len(moments) - 1) * count / RATE)


# Several processes


def part(index: int, count: int, *, offset: float = 0.0) -> Others:
    return Others(Part(index, count, offset), {}, 0)


@pytest.mark.parametrize("count", [2, 3, 4, 7])
def test_several_processes_share_one_pace(count: int) -> None:
    """Their turns lie between each other's, although their own clocks show different times."""

    async def play() -> list[float]:
        pacers = [
            Pacer(now=lambda ahead=ahead: now() + ahead, alone=False)  # type: ignore[misc]
            for ahead in (1000.0 * number for number in range(count))
        ]
        for index, pacer in enumerate(pacers):
            pacer.hear(part(index, count, offset=-1000.0 * index))
        moments = await asyncio.gather(*(turns(pacer, 10 * RATE // count) for pacer in pacers))
        return sorted(moment for own in moments for moment in own)

    moments = run(play())
    assert most_in_a_second(moments) <= RATE
    assert moments[-1] - moments[0] == pytest.approx(10, abs=0.5)
    apart = [after - before for before, after in pairwise(moments[count:-count])]
    assert apart == pytest.approx([1 / RATE] * len(apart)), "none of them at the same time"


def test_no_turns_before_the_others_know() -> None:
    async def play() -> float:
        pacer = Pacer(alone=False)
        assert pacer.per_second == 0
        waiting = asyncio.create_task(pacer.wait_turn())
        await asyncio.sleep(3)
        assert not waiting.done()
        pacer.hear(part(0, 2))
        await waiting
        assert pacer.per_second == pytest.approx(RATE / 2)
        return now()

    assert run(play()) < 3.2


def test_others_make_room_for_extra_answers() -> None:
    async def play() -> None:
        busy, other = Pacer(alone=False), Pacer(alone=False)
        busy.hear(part(0, 2))
        other.hear(part(1, 2))
        await asyncio.sleep(1)
        for _ in range(RATE):
            busy.count_sent()
        passed_on = busy.pass_on()
        assert passed_on == RATE // 2
        assert busy.pass_on() == 0, "only once"
        other.hear(Others(Part(1, 2, 0.0), {}, passed_on))
        waits = await asyncio.gather(_wait_of(busy), _wait_of(other))
        assert waits == pytest.approx([1, 1], abs=0.1), "neither asks before the answers have had their second"

    run(play())


def test_each_of_several_makes_room_for_its_share_of_the_answers() -> None:
    async def play() -> float:
        pacer = Pacer(alone=False)
        await asyncio.sleep(5)
        pacer.hear(Others(Part(1, 4, 0.0), {}, 12))
        return await _wait_of(pacer)

    step = 4 / RATE
    assert 4 * step <= run(play()) < 5 * step, "twelve answers of one process are four for each of three others"


def test_turns_lie_on_the_clock_of_the_database() -> None:
    async def play() -> float:
        pacer = Pacer(alone=False)
        await asyncio.sleep(5)
        pacer.hear(part(0, 2, offset=0.02))
        await pacer.wait_turn()
        return now() + 0.02

    step = 2 / RATE
    turn = run(play())
    assert turn / step == pytest.approx(round(turn / step), abs=0.11)


def test_chats_that_others_were_refused_count_as_refused() -> None:
    async def play() -> None:
        pacer = Pacer(alone=False)
        pacer.hear(Others(Part(0, 2, 0.0), {ALICE: 5.0, BOB: 5.0}, 0))
        await free(pacer, 3)
        assert pacer.is_blocked, "everybody else waits while one chat is tried"
        wary = Pacer(alone=False)
        wary.hear(Others(Part(0, 2, 0.0), {0: 0.5}, 0))
        await asyncio.sleep(1)
        await free(wary, 3)
        assert wary.is_blocked, "another process has found all of them blocked"

    run(play())


def test_longer_wait_of_ours_is_kept() -> None:
    async def play() -> None:
        pacer = Pacer(alone=False)
        pacer.back_off(ALICE, 30 * SECOND)
        pacer.hear(Others(Part(0, 2, 0.0), {ALICE: 5.0}, 0))
        assert pacer.delay_for(ALICE) == 30 * SECOND
        pacer.hear(Others(Part(0, 2, 0.0), {ALICE: 60.0}, 0))
        assert pacer.delay_for(ALICE) == 60 * SECOND

    run(play())


async def _wait_of(pacer: Pacer) -> float:
    """Return for how long the next turn has to be waited for."""
    begun = now()
    await pacer.wait_turn()
    return now() - begun


def test_after_a_success_the_tries_begin_anew() -> None:
    async def play() -> None:
        told: dict[int, float] = {}
        pacer = Pacer(tell=told.__setitem__)
        await asyncio.sleep(5)
        for first in (1, 11):
            for chat in (first, first + 1):
                pacer.back_off(chat, 30 * SECOND)
            await free(pacer, first + 2)
            pacer.back_off(first + 2, 30 * SECOND)
            assert told[0] == 1.0
            pacer.hear(Others(Part(0, 1, 0.0), {first: 5.0}, 0))
            pacer.note_success()

    run(play())


def test_what_is_passed_on_is_counted_since_the_last_time() -> None:
    seconds = 100.0
    pacer = Pacer(now=lambda: seconds, rate=10, alone=False)
    pacer.hear(part(0, 2))  # five turns a second
    pacer.pass_on()
    for later, answers, beyond in ((1, 9, 4), (2, 12, 2), (2, 3, 0)):
        seconds += later
        for _ in range(answers):
            pacer.count_sent()
        assert pacer.pass_on() == beyond


def test_alone_nothing_is_passed_on() -> None:
    pacer = Pacer(now=lambda: 5.0)
    for _ in range(10 * RATE):
        pacer.count_sent()
    assert pacer.pass_on() == 0


def test_limits_apply_to_every_process() -> None:
    async def play() -> None:
        told: dict[int, float] = {}
        limited, other = Pacer(tell=told.__setitem__, alone=False), Pacer(alone=False)
        await asyncio.sleep(5)
        limited.hear(part(0, 2))
        limited.back_off(ALICE, 5 * SECOND)
        other.hear(Others(Part(1, 2, 0.0), told, 0))
        assert other.delay_for(ALICE) == 5 * SECOND
        assert other.delay_for(BOB) == timedelta()
        limited.back_off(BOB, 30 * SECOND)
        await free(limited, 3)
        limited.back_off(3, 30 * SECOND)
        assert told[0] == 1.0, "all are blocked for now"
        other.hear(Others(Part(1, 2, 0.0), told, 0))
        assert other.is_blocked
        limited.note_success()
        assert told[0] == 0.0
        other.hear(Others(Part(1, 2, 0.0), {ALICE: 5.0}, 0))
        assert not other.is_blocked

    run(play())
