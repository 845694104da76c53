"""Ties all rows of the database behind a URL, again and again, and dies each time after a few more statements.

The last try is allowed to finish.
"""

import asyncio
import os
import signal
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from bot.crypto import KeyRing
from bot.storage.store import Store

STEP = 2


async def tie(url: str, keys: KeyRing) -> None:
    store = Store.at(url, keys)
    await store.tie_all()
    await store.close()


def tie_until(url: str, keys: KeyRing, statements: int) -> None:
    """Never returns once there are that many."""
    left = statements

    @event.listens_for(Engine, "after_cursor_execute")
    def _count(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(tie(url, keys))


def main(url: str, master_key: str) -> None:
    """Print how often it died. This forks, so it has a process to itself."""
    deaths, keys = 0, KeyRing.parse(master_key)
    for statements in range(1, 1000, STEP):
        child = os.fork()
        if child == 0:
            tie_until(url, keys, statements)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) == 0:
            break
        deaths += 1
    print(deaths)  # noqa: T201
