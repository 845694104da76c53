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

    Otherwise the loop would restore their default handlers when it is closed, and a second signal in the last moments
    would turn a clean stop into exit code -15.
    """
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in _STOPS:
        loop.add_signal_handler(number, stopped.set)
    try:
        yield stopped
    finally:
        for number in _STOPS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)
