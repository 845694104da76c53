"""What happens is counted where it happens."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.delivery.courier import RateLimited, Refused, Unclear
from bot.metrics import METRICS, Counter, Histogram
from bot.tg.screens import Screen
from tests.silence.world import A, Beginning
from tests.tg.test_sender import sending


def counts() -> dict[str, int]:
    """Return how often everything has happened so far."""
    counted = {
        f"{metric.name} {value}".strip(): number
        for metric in METRICS
        if isinstance(metric, Counter)
        for value, number in metric.counted.items()
    }
    return counted | {metric.name: sum(metric.counts) for metric in METRICS if isinstance(metric, Histogram)}


class Counted(dict[str, int]):
    """What has happened since this was made."""

    def __init__(self) -> None:
        super().__init__()
        self._before = counts()

    def look(self) -> "Counted":
        self.update({name: number - self._before[name] for name, number in counts().items()})
        return self


async def test_conversation_is_counted(tmp_path: Path) -> None:
    beginning = await Beginning.make(tmp_path)
    async with beginning.life(tmp_path / "life") as world:
        counted = Counted()
        await world.says(A, "/today")
        await world.says(A, "The dog waited at the door.")
        found = counted.look()
        assert (found["ajar_updates_taken_total"], found["ajar_updates_handled_total"]) == (2, 2)
        assert (found["ajar_answer_seconds"], found["ajar_notices_settled_total sent"]) == (2, 2)
        assert found["ajar_transactions_total write"] >= found["ajar_commit_seconds"] >= 2
        assert not any(number for name, number in found.items() if "failed" in name or "incident" in name)


async def test_asks_are_counted_at_each_step(tmp_path: Path) -> None:
    beginning = await Beginning.make(tmp_path)
    async with beginning.life(tmp_path / "life") as world:
        counted = Counted()
        await world.until(world.clock.now() + timedelta(hours=3))
        found = counted.look()
        assert (found["ajar_asks_planned_total"], found["ajar_asks_sent_total"]) == (1, 1)
        assert found["ajar_asks_late_total"] == 0
        world.clock.set(world.clock.now() + timedelta(days=1, minutes=20))
        await world.work()
        found = counted.look()
        assert found["ajar_asks_sent_total"] == 2
        assert found["ajar_asks_late_total"] == 1


async def test_refusals_are_counted_by_code() -> None:
    async with sending() as (telegram, sender):
        alice = await telegram.person("Alice")
        await alice.says("/start")
        counted = Counted()
        await telegram.fault("sendMessage", "429", times=1)
        with pytest.raises(RateLimited):
            await sender.send(alice.id, Screen("Kept."))
        with pytest.raises(Refused):
            await sender.send(alice.id, Screen(""))
        await telegram.fault("sendMessage", "cut_after", times=1)
        with pytest.raises(Unclear):
            await sender.send(alice.id, Screen("Kept."))
        await sender.send(alice.id, Screen("Kept."))
    found = counted.look()
    assert (found["ajar_telegram_errors_total 429"], found["ajar_telegram_errors_total 400"]) == (1, 1)
    assert (found["ajar_telegram_unreachable_total"], found["ajar_telegram_calls_total"]) == (1, 4)
