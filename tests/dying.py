"""Runs work in a separate process that is killed at a counted point."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

Reached = Callable[..., None]
"""Called at each point at which a process can die."""

NEVER = 1 << 30


def killed(work: Callable[[Reached], Awaitable[None]], kill_at: int = NEVER) -> bool:
    """Do the work in a separate process that dies at the point with this number. Return whether it died."""
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
