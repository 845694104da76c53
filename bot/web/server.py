"""The web part: Telegram's webhook, the health checks and the metrics."""

import asyncio
import hmac
import json
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, Protocol, Self
from urllib.parse import unquote_to_bytes

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.clock import Clock
from bot.config import Config
from bot.health import Health
from bot.logs import ThrottledLog, safe_error
from bot.storage.store import Store
from bot.web.metrics import Metrics
from bot.web.readiness import Readiness

SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  # a header's name
_LARGEST: Final = 1 << 20
_SENDING: Final = 5.0
"""Seconds that a request's body may take to arrive."""
_IDLE: Final = 10.0
"""Seconds that a connection may stay open without the complete headers of a request."""

log = structlog.stdlib.get_logger(__name__)
throttled = ThrottledLog(log)


class Inbox(Protocol):
    """Takes updates as they come from Telegram. Returns once they are written down."""

    async def take(self, raws: Sequence[Any]) -> None: ...


class Gate(Protocol):
    """Leads to the inbox."""

    @property
    def is_full(self) -> bool:
        """Whether too many updates are unhandled to take more."""
        ...

    async def inbox(self) -> Inbox:
        """Return the inbox, once it takes updates."""
        ...


class Webhook:
    """Receives updates from Telegram. We answer 200 once an update is written down; otherwise Telegram repeats it."""

    def __init__(self, path: str, secret: str, gate: Gate) -> None:
        self._path = unquote_to_bytes(path)
        self._gate = gate
        self._secret = secret.encode()
        self._in_flight: set[asyncio.Task[None]] = set()
        self._closing = False

    def is_at(self, path: str) -> bool:
        """Return whether this is the webhook's path, however either of them quotes a colon or a brace.

        The path may contain the token, so it is compared in constant time, like the secret.
        """
        return hmac.compare_digest(unquote_to_bytes(path), self._path)

    def knows_secret(self, request: web.Request) -> bool:
        given = request.headers.get(SECRET_HEADER, "").encode(errors="surrogateescape")
        return hmac.compare_digest(given, self._secret)

    async def __call__(self, request: web.Request) -> web.Response:
        if not self.knows_secret(request):
            throttled.warning("webhook.refused", reason="secret")
            return web.Response(status=403)
        if self._closing or self._gate.is_full:
            return web.Response(status=503)
        try:
            async with asyncio.timeout(_SENDING):
                raw = json.loads(await request.read())
        except TimeoutError:
            return _cut_off()
        except ValueError:
            throttled.warning("webhook.refused", reason="JSON")
            return web.Response(status=400)
        except RecursionError as error:  # a repetition would be nested just as deeply
            log.error("update.passed_over", error=safe_error(error))
            return web.Response()
        return await self._have_taken(raw) if isinstance(raw, dict) else web.Response()

    async def _have_taken(self, raw: dict[str, Any]) -> web.Response:
        """Take an update, even if Telegram closes the connection meanwhile."""
        inbox = await self._gate.inbox()
        task = asyncio.create_task(inbox.take([raw]), name="update")
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)
        await asyncio.wait({task})
        if task.cancelled():
            return web.Response(status=503)
        task.result()
        return web.Response()

    async def finish(self) -> None:
        """Take nothing more, and wait until everything taken is written down."""
        self._closing = True
        while self._in_flight:
            await asyncio.wait(self._in_flight)

    async def abandon(self) -> None:
        """Drop updates that aren't written down. They don't get a 200, so Telegram sends them again."""
        self._closing = True
        for task in self._in_flight:
            task.cancel()
        if self._in_flight:
            await asyncio.wait(self._in_flight)


def _cut_off() -> web.Response:
    response = web.Response(status=408)
    response.force_close()
    return response


def _deliveries(webhook: Webhook) -> Middleware:
    """Return a middleware that serves the webhook, because the router would read braces in its path as a pattern."""

    @web.middleware
    async def deliver(request: web.Request, handler: Handler) -> web.StreamResponse:
        here = webhook.is_at(request.rel_url.raw_path)
        if here and request.method == "POST":
            return await webhook(request)
        try:
            return await handler(request)
        except web.HTTPNotFound:
            if here:
                raise web.HTTPMethodNotAllowed(request.method, ["POST"]) from None
            if request.method == "POST":  # its path may contain a token, so we don't log it
                throttled.warning("webhook.misdirected", secret="right" if webhook.knows_secret(request) else "wrong")
            raise

    return deliver


class Observed(NamedTuple):
    """The health checks and the metrics of the running bot."""

    readiness: Readiness
    metrics: Metrics

    @classmethod
    def of(cls, health: Health, clock: Clock) -> Self:
        readiness = Readiness(health, clock)
        return cls(readiness, Metrics(readiness.problems, clock))

    def watch(self, store: Store, refresh: Callable[[], None], config: Config) -> None:
        """From now on also watch the database, and with SQLite its disk and its backups.

        `refresh` sets the gauges about this process's memory.
        """
        database = config.sqlite_file
        self.readiness.watch(store, database.parent if database else None)
        self.metrics.watch(store, refresh, database=database, backups=config.backups if database else None)


def make_server(observed: Observed, webhook: Webhook | None) -> web.AppRunner:
    """Return the web server's runner, to be set up and given an address."""
    middlewares = (_deliveries(webhook),) if webhook else ()
    app = web.Application(client_max_size=_LARGEST, middlewares=middlewares)
    app.router.add_get("/health/live", observed.readiness.live)
    app.router.add_get("/health/started", observed.readiness.started)
    for path in ("/health", "/health/ready"):
        app.router.add_get(path, observed.readiness.ready)
    app.router.add_get("/metrics", observed.metrics.show)
    return web.AppRunner(
        app, access_log=None, handle_signals=False, shutdown_timeout=1, keepalive_timeout=_IDLE, lingering_time=1.0
    )
