"""Migrates the database behind a URL again and again and dies each time after a few more statements, by SIGKILL.

Prints how often it died, and at the end the version found by the last try, which was allowed to finish.
"""

import asyncio
import os
import signal
import sys
from typing import Any

import alembic.command  # noqa: F401  # loaded before the forks, which are quick then
from sqlalchemy import event
from sqlalchemy.engine import Engine

from bot.storage.migrate import migrate

STEP = 3


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
    deaths = 0
    for statements in range(1, 1000, STEP):
        child = os.fork()
        if child == 0:
            migrate_until(url, statements)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) == 0:
            break
        deaths += 1
    print(deaths)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
