"""The web part: Telegram's webhook, and the health checks."""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from bot.web.readiness import Readiness

SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  # a header's name
_LARGEST: Final = 1 << 20
_CROWD: Final = 50
"""So many updates under way are half of what Telegram sends at once, see `bot.tg.polling.LIMIT`."""
_LOOK: Final = 1.0
"""Seconds from one look to the next whether it has become crowded."""

Take = Callable[[dict[str, Any]], Awaitable[None]]


class Webhook:
    """Where Telegram delivers. It is answered with 200 only when the update is done; anything else is repeated."""

    def __init__(self, path: str, secret: str, take: Take, late: Callable[[int], bool]) -> None:
        """`late` tells of an update whether only its answer is missing, and has been for long."""
        self.path = path
        self._late = late
        self._secret = secret.encode()
        self._take = take
        self._flying: set[asyncio.Task[None]] = set()
        self._closing = False

    async def __call__(self, request: web.Request) -> web.Response:
        if not hmac.compare_digest(
            request.headers.get(SECRET_HEADER, "").encode(errors="surrogateescape"), self._secret
        ):
            return web.Response(status=403)
        if self._closing:
            return web.Response(status=503)
        try:
            raw = json.loads(await request.read())
        except ValueError:
            return web.Response(status=400)
        return await self._have_taken(raw) if isinstance(raw, dict) else web.Response()

    async def _have_taken(self, raw: dict[str, Any]) -> web.Response:
        task = asyncio.create_task(_run(self._take(raw)), name="update")
        self._flying.add(task)
        task.add_done_callback(self._flying.discard)
        while not (await asyncio.wait({task}, timeout=_LOOK))[0]:
            if len(self._flying) > _CROWD and self._late(raw.get("update_id", 0)):
                return web.Response()  # else it would keep everybody else's updates from coming
        if task.cancelled():
            return web.Response(status=503)
        task.result()
        return web.Response()

    async def finish(self) -> None:
        """Take nothing more, and wait until nothing is in flight."""
        self._closing = True
        while self._flying:
            await asyncio.wait(self._flying)

    async def abandon(self) -> None:
        """Drop what is still in flight: it is not answered with 200 and comes again."""
        self._closing = True
        for task in self._flying:
            task.cancel()
        if self._flying:
            await asyncio.wait(self._flying)


async def _run(work: Awaitable[None]) -> None:
    await work


def make_server(readiness: Readiness, webhook: Webhook | None) -> web.AppRunner:
    """The web part, ready to be set up and given an address."""
    app = web.Application(client_max_size=_LARGEST)
    app.router.add_get("/health/live", readiness.live)
    for path in ("/health", "/health/ready"):
        app.router.add_get(path, readiness.ready)
    if webhook:
        app.router.add_post(webhook.path, webhook)
    return web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1)
