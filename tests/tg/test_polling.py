"""The receive loop's own waiting; what it receives is in tests/journeys."""

import asyncio

import pytest

from bot.tg.polling import _at_most


@pytest.mark.parametrize("steps", range(4))
async def test_a_stop_at_the_moment_of_what_is_waited_for_is_not_lost(steps: int) -> None:
    """Else the loop would go on to ask for updates, and a stop take as long as Telegram holds that."""
    event = asyncio.Event()
    waiting = asyncio.create_task(_at_most(event, 60))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    event.set()
    for _ in range(steps):
        await asyncio.sleep(0)
    if waiting.cancel():
        with pytest.raises(asyncio.CancelledError):
            await waiting


async def test_it_waits_no_longer_than_it_is_told() -> None:
    await _at_most(asyncio.Event(), 0.01)
