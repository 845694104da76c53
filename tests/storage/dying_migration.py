"""Migrates the database behind a URL again and again and dies each time after some more statements, by SIGKILL.

The last try is allowed to finish.
"""

import asyncio
import gc
import os
import signal
import tempfile
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from bot.storage.migrate import migrate

DEATHS = 100 if "AJAR_CRASH_KILLS" in os.environ else 10
"""About how many, more in `make crash`. Each try does again what was rolled back, so that killing after every statement
would take the square of their number."""


def statements_in_all() -> int:
    """Count what migrating an empty SQLite database takes. This also loads all that the forks need."""
    found = 0

    def count(*_: Any) -> None:
        nonlocal found
        found += 1

    event.listen(Engine, "after_cursor_execute", count)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(migrate(f"sqlite+aiosqlite:///{folder}/ajar.db"))
    event.remove(Engine, "after_cursor_execute", count)
    return found


def migrate_until(url: str, statements: int) -> None:
    """Never returns once there are that many."""
    left = statements

    @event.listens_for(Engine, "after_cursor_execute")
    def _count(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(migrate(url))


def main(url: str) -> None:
    """Print how often it died. This forks, so it has a process to itself."""
    deaths = 0
    step = statements_in_all() // DEATHS
    gc.freeze()
    for statements in range(1, 10_000, step):
        child = os.fork()
        if child == 0:
            migrate_until(url, statements)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) == 0:
            break
        deaths += 1
    print(deaths)  # noqa: T201
