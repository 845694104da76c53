"""For tests in which a process dies: work is done in a process of its own, and killed at a point that is counted."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

Reached = Callable[..., None]
"""Says that a point was reached at which a process may die."""

NEVER = 1 << 30


def killed(work: Callable[[Reached], Awaitable[None]], kill_at: int = NEVER) -> bool:
    """Do the work in a process of its own that dies at the point of this number. Whether it died."""
    child = os.fork()
    if child == 0:
        asyncio.run(_do(work, _death(kill_at)))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.waitstatus_to_exitcode(status) == 0, "the work failed"
    return False


async def _do(work: Callable[[Reached], Awaitable[None]], reached: Reached) -> None:
    await work(reached)


def _death(kill_at: int) -> Reached:
    count = 0

    def reached(*_: object) -> None:
        nonlocal count
        count += 1
        if count == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    return reached
