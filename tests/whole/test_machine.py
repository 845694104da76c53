"""A few short lives; `make prove` has many long ones (tests/prove/test_whole_full.py)."""

from tests.silence.world import A, B
from tests.whole.ledger import Act, Ledger
from tests.whole.machine import Lives, live
from tests.whole.town import mark

SEED = 13
LINE, OTHER = 71, 72


def test_some_lives() -> None:
    live(SEED, lives=4, steps=10)
    assert Lives.counts["steps"] > 20, "next to nothing was done"


def _ledger() -> Ledger:
    """Two texts were typed, and the first one is a Line."""
    ledger = Ledger()
    for number in (1, 2):
        ledger.typed(f"{mark(A, number)} rain", message_id=number)
    assert not ledger.became(Act(A, text=f"{mark(A, 1)} rain"), {A: {LINE: f"{mark(A, 1)} rain"}})
    return ledger


def test_ledger_finds_losses_and_doubles() -> None:
    first, second = f"{mark(A, 1)} rain", f"{mark(A, 2)} rain"
    assert _ledger().became(Act(A, text=second), {A: {}}), "a Line was lost"
    assert _ledger().became(Act(A, text=second), {A: {LINE: first, OTHER: first}}), "another text was kept"
    assert _ledger().became(Act(A, data="v1:keep:5"), {A: {LINE: first, OTHER: first}}), "a message became two Lines"
    assert _ledger().became(Act(A, data="v1:share:71"), {A: {LINE: second}}), "a button changed a Line"
    assert _ledger().became(Act(None), {A: {LINE: second}}), "a Line changed by itself"
    assert _ledger().became(Act(B, text=second), {A: {LINE: first, OTHER: second}}), "somebody else's Line changed"
    assert not _ledger().became(Act(A, data="v1:keep:5"), {A: {LINE: first, OTHER: second}})
    assert not _ledger().became(Act(A, data="v1:erase_line:71.0"), {A: {}})
    assert _ledger().became(Act(A, data="v1:erase_line:72.0"), {A: {}}), "another Line was deleted"


def test_ledger_finds_unshared_words() -> None:
    ledger = _ledger()
    assert ledger.strange(B, {mark(A, 1), mark(B, 1)}) == {mark(A, 1)}
    ledger.grant({mark(A, 1)}, B)
    assert not ledger.strange(B, {mark(A, 1)})
