"""A stop signal is heard at once, and a second one never meets the default that would end the process."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvloop

from bot.stopping import stop_signals

STOPS = (signal.SIGTERM, signal.SIGINT)


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in STOPS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", STOPS)
@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_first_signal_is_heard(
    monkeypatch: pytest.MonkeyPatch, new_loop: Callable[[], asyncio.AbstractEventLoop], number: signal.Signals
) -> None:
    put: list[object] = []
    put_handler = signal.signal

    def noted(number: int, handler: Any) -> Any:
        put.append(handler)
        return put_handler(number, handler)

    async def hears() -> None:
        with stop_signals() as stop:
            asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), number)
            async with asyncio.timeout(5):
                await stop.wait()
        os.kill(os.getpid(), number)

    monkeypatch.setattr(signal, "signal", noted)
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(hears())
    os.kill(os.getpid(), number)
    assert signal.SIG_IGN in put
    assert signal.SIG_DFL not in put
    assert signal.default_int_handler not in put
