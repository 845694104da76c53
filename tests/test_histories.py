"""The checker of histories finds each kind of fault in a history that has it, and none in a right one."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.histories import Event, What, faults

LANE = 7
P, Q = 100, 200
"""Two processes."""
W, C, H, K, S, A = What
"""Written, claimed, handled, kept, to say, answered."""


def _update(number: int, owner: int, transaction: int) -> list[Event]:
    """Return the whole history of an update, whose message has ten times its number."""
    return [
        Event(transaction, W, LANE, number),
        Event(transaction, C, LANE, number, owner),
        Event(transaction + 1, H, LANE, number, owner),
        Event(transaction + 1, K, LANE, 10 * number),
        Event(transaction + 1, S, LANE, number, owner),
        Event(transaction + 2, A, LANE, number),
    ]


RIGHT = [*_update(1, P, 11), *_update(2, P, 21), *_update(3, Q, 31)]


def test_right_history_has_no_fault() -> None:
    assert not faults(RIGHT)
    assert not faults([*RIGHT, *(replace(event, lane=8) for event in RIGHT)])


def test_claim_that_another_process_takes_over() -> None:
    written, claimed, *rest = _update(1, P, 11)
    released, taken = Event(12, C, LANE, 1, None), Event(13, C, LANE, 1, Q)
    by_q = [replace(event, owner=Q if event.owner else None, transaction=event.transaction + 9) for event in rest]
    assert not faults([written, claimed, released, taken, *by_q])
    late = [replace(event, owner=P if event.owner else None) for event in by_q]
    assert faults([written, claimed, released, taken, *late]), "one that was frozen handles what it no longer has"


def test_history_with_taps_needs_answers_only() -> None:
    tapped = _without(K)([*RIGHT, Event(91, K, LANE, 30)])
    assert faults(tapped)
    assert not faults(tapped, only_texts=False)
    for what in (W, H, S, A):
        assert faults(_without(what)(tapped), only_texts=False)


def test_answers_settled_together_are_in_order() -> None:
    settled = [Event(99, A, LANE, number) for number in (2, 1)]
    assert not faults([*_update(1, P, 11)[:-1], *_update(2, P, 21)[:-1], *settled])


def _without(what: What) -> Callable[[list[Event]], list[Event]]:
    return lambda events: [event for event in events if event.what is not what or event.update_id not in {2, 20}]


def _twice(what: What) -> Callable[[list[Event]], list[Event]]:
    """Let it happen once more, in a transaction of its own."""
    return lambda events: [
        *events,
        *(replace(event, transaction=91) for event in events if event.what is what and event.update_id in {2, 20}),
    ]


def _apart(what: What) -> Callable[[list[Event]], list[Event]]:
    return lambda events: [replace(event, transaction=91) if event.what is what else event for event in events]


def _swapped(what: What) -> Callable[[list[Event]], list[Event]]:
    """Let it happen to the third update before the second."""

    def swap(events: list[Event]) -> list[Event]:
        numbers = [number for number, event in enumerate(events) if event.what is what]
        changed = list(events)
        changed[numbers[1]], changed[numbers[2]] = changed[numbers[2]], changed[numbers[1]]
        return changed

    return swap


@pytest.mark.parametrize("what", [W, H, K, S, A])
@pytest.mark.parametrize("doctor", [_without, _twice])
def test_lost_or_doubled(what: What, doctor: Callable[[What], Callable[[list[Event]], list[Event]]]) -> None:
    assert faults(doctor(what)(RIGHT))


@pytest.mark.parametrize("what", [K, S])
def test_effect_and_answer_need_the_handling(what: What) -> None:
    assert faults(_apart(what)(RIGHT))


@pytest.mark.parametrize("what", [H, A])
def test_wrong_order(what: What) -> None:
    assert faults(_swapped(what)(RIGHT))


def test_two_processes_in_one_lane() -> None:
    assert faults([Event(1, W, LANE, 9), Event(1, C, LANE, 9, Q), *RIGHT, *_update(9, Q, 41)[2:]])


def test_handled_without_a_claim() -> None:
    assert faults([event for event in RIGHT if event.what is not C])
