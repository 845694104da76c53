"""An event loop whose time passes at once when there is nothing to do: waiting takes no time.

It is exact, unless its waits are to end at whole ticks.
"""

import asyncio
import math
import selectors
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

T = TypeVar("T")


class _Jumping(selectors.BaseSelector):
    """Instead of waiting for a file, it lets the waiting time pass at once."""

    def __init__(self, tick: float) -> None:
        self._real = selectors.DefaultSelector()
        self._tick = tick
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if not ready and timeout:
            self.now += timeout
            if self._tick:
                self.now = math.ceil(self.now / self._tick) * self._tick
        return ready

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class _HandLoop(asyncio.SelectorEventLoop):
    def __init__(self, tick: float = 0.0) -> None:
        self._jumping = _Jumping(tick)
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def run(work: Coroutine[Any, Any, T], tick: float = 0.0) -> T:
    """Return the result of `work` on such a loop, where waits end at whole multiples of `tick` seconds."""
    with asyncio.Runner(loop_factory=lambda: _HandLoop(tick)) as runner:
        return runner.run(work)
