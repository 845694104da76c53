"""SIGTERM and SIGINT ask a process to end; a second one changes nothing, however late it comes."""

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from typing import Final

_STOPS: Final = (signal.SIGTERM, signal.SIGINT)


@contextlib.contextmanager
def stop_signals() -> Iterator[asyncio.Event]:
    """An event that the first signal sets. Afterwards the process ignores them for the rest of its life.

    Left to itself, the loop gives the signals back their default when it is closed, and a second one in the last
    moments would turn a clean stop into an exit code of -15.
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
