"""Somebody who answers in Telegram's place, and not always as Telegram would."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from bot.tg.network import Network


@asynccontextmanager
async def served(answer: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[tuple[str, Network]]:
    """Let every call be answered like this. The address is for `telegram.Bot`, and the network leads there."""
    app = web.Application()
    app.router.add_post("/bot{token}/{method}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    network = Network()
    await network.initialize()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", network
    finally:
        await network.shutdown()
        await runner.cleanup()
