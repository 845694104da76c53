"""SIGTERM and SIGINT ask the process to end; a second one has no effect, however late it comes."""

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from typing import Final

_STOPS: Final = (signal.SIGTERM, signal.SIGINT)


@contextlib.contextmanager
def stop_signals() -> Iterator[asyncio.Event]:
    """Give an event that the first signal sets. Afterwards the process ignores these signals until it ends.

    The handlers are Python's and not the loop's: removing one of those restores the default first, and a second signal
    in that moment, or after the loop is closed, would turn a clean stop into exit code -15.
    """
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()

    def stop(*_: object) -> None:
        loop.call_soon_threadsafe(stopped.set)  # wakes the loop, which the handler doesn't run in

    for number in _STOPS:
        signal.signal(number, stop)
    try:
        yield stopped
    finally:
        for number in _STOPS:
            signal.signal(number, signal.SIG_IGN)
