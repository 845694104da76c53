"""Health checks for supervisors and load balancers: whether the bot is alive, and whether it can do its work."""

import asyncio
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
from aiohttp import web

from bot.clock import Clock
from bot.health import SILENT, Health
from bot.logs import ThrottledLog, safe_error
from bot.storage.store import Store

CACHED: Final = 2.0
"""Seconds for which we repeat an answer, so that frequent requests cost only one check."""
LEAST_ROOM: Final = 64 * 2**20
"""Bytes that must be free on the data's disk. SQLite's log alone can grow by several megabytes in a busy minute."""
OVERDUE: Final = timedelta(minutes=5)
"""A message that is later than this shows that nothing is being sent."""
_TIMEOUT: Final = 5.0
_NOTE: Final = "health"
_UNSTARTED: Final = ("start", "database")
"""What keeps a process from counting as started. A backlog or a silent Telegram doesn't: a new process helps there."""

throttled = ThrottledLog(structlog.stdlib.get_logger(__name__))


class Readiness:
    """Answers /health/live, /health/started and /health/ready."""

    def __init__(self, health: Health, clock: Clock) -> None:
        self._health = health
        self._clock = clock
        self._store: Store | None = None
        self._data_dir: Path | None = None
        self._looking = asyncio.Lock()
        self._looked_at = float("-inf")
        self._found: dict[str, str] = {}

    def watch(self, store: Store, data_dir: Path | None) -> None:
        """From now on also check the database, and the disk of `data_dir` if it is given."""
        self._store = store
        self._data_dir = data_dir

    async def live(self, _request: web.Request) -> web.Response:
        """Answer if the event loop works. Telegram and the database don't count, because a restart wouldn't help."""
        return web.json_response({"status": "alive"})

    async def started(self, _request: web.Request) -> web.Response:
        """Answer if this process does its part, whatever else is wrong. Then an upgrade can go on to the next one."""
        problems = await self.problems()
        return _answer({about: problems[about] for about in _UNSTARTED if about in problems})

    async def ready(self, _request: web.Request) -> web.Response:
        return _answer(await self.problems())

    async def problems(self) -> dict[str, str]:
        """Return all problems, as a sentence for each failing check."""
        return {**await self._look(), **self._silence(), **self._health.problems}

    def _silence(self) -> dict[str, str]:
        silence = self._health.silence
        if silence is None or silence <= SILENT:
            return {}
        return {"telegram": f"nothing was heard from Telegram for {silence // 60:.0f} minutes"}

    async def _look(self) -> dict[str, str]:
        async with self._looking:
            now = asyncio.get_running_loop().time()
            if self._store and now - self._looked_at > CACHED:
                self._found = {**await self._database(self._store), **await self._disk()}
                self._looked_at = asyncio.get_running_loop().time()
            return self._found

    async def _database(self, store: Store) -> dict[str, str]:
        try:
            async with asyncio.timeout(_TIMEOUT):
                async with store.writing_reserved() as rows:
                    due = await rows.earliest_due()
                    await rows.take_note(_NOTE, "looked at")  # only a write notices a full or read-only disk
        except Exception as error:  # noqa: BLE001  # whatever it is, the answer is no
            throttled.error("health.failed", error=safe_error(error))
            return {"database": f"the database can't be read and written ({type(error).__name__})"}
        return self._overdue(due)

    def _overdue(self, due: datetime | None) -> dict[str, str]:
        late = self._clock.now() - due if due else timedelta()
        if late <= OVERDUE:
            return {}
        return {"outbox": f"something that is due has been waiting for {late // timedelta(minutes=1)} minutes"}

    async def _disk(self) -> dict[str, str]:
        if self._data_dir is None:
            return {}
        try:
            free = (await asyncio.to_thread(shutil.disk_usage, self._data_dir)).free
        except OSError as error:
            return {"disk": f"the data folder can't be read ({error.strerror})"}
        return {"disk": f"only {free // 2**20} MiB are free on the disk of the data"} if free < LEAST_ROOM else {}


def _answer(problems: dict[str, str]) -> web.Response:
    if problems:
        return web.json_response({"status": "not ready", "problems": problems}, status=503)
    return web.json_response({"status": "ok"})
