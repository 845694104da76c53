"""The bare bots that Ajar is measured against: each repeats what it hears and stores nothing.

python -m tests.bench.echo KIND TOKEN API_URL, with one of KINDS. Each imports only what it needs, as memory and the
start are measured too.
"""

import asyncio
import sys
import warnings
from typing import Any

from tests.bench.installed import leave_out


def bare(token: str, api_url: str) -> None:
    """Run python-telegram-bot as its front page shows it: one update at a time."""
    from telegram.ext import ApplicationBuilder

    _run(ApplicationBuilder().token(token).base_url(f"{api_url}/bot"))


def concurrent(token: str, api_url: str) -> None:
    """Run the same, but 64 updates at once."""
    from telegram.ext import ApplicationBuilder

    _run(ApplicationBuilder().token(token).base_url(f"{api_url}/bot").concurrent_updates(64))


def network(token: str, api_url: str) -> None:
    """Run python-telegram-bot with Ajar's own transport and event loop, 64 updates at once."""
    import uvloop
    from telegram.ext import ApplicationBuilder
    from telegram.request import RequestData

    from bot.tg.network import Network

    class Polls(Network):
        """`Network` for getUpdates, which Ajar calls without python-telegram-bot."""

        async def do_request(
            self, url: str, method: str, request_data: RequestData | None = None, *_: Any, **__: Any
        ) -> tuple[int, bytes]:
            params = request_data.json_parameters if request_data else {}
            async with self.session.request(method, url, data=params) as response:
                return response.status, await response.read()

    asyncio.set_event_loop(uvloop.new_event_loop())
    builder = ApplicationBuilder().token(token).base_url(f"{api_url}/bot").concurrent_updates(64)
    _run(builder.request(Network()).get_updates_request(Polls()))


def _run(builder: Any) -> None:
    from telegram import Update
    from telegram.ext import ContextTypes, MessageHandler, filters

    async def repeat(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        if update.message and update.message.text:
            await update.message.reply_text(update.message.text)

    application = builder.build()
    application.add_handler(MessageHandler(filters.TEXT, repeat))
    application.run_polling()


def with_aiogram(token: str, api_url: str) -> None:
    """Run aiogram as its front page shows it: a task per update, on uvloop where it is installed."""
    dispatcher, bot = _of_aiogram(token, api_url)
    dispatcher.run_polling(bot)


def with_aiogram_webhook(token: str, api_url: str) -> None:
    """Run aiogram behind a webhook as its manual shows it, on uvloop."""
    import socket

    import uvloop
    from aiogram.webhook.aiohttp_server import SimpleRequestHandler, setup_application
    from aiohttp import web

    dispatcher, bot = _of_aiogram(token, api_url)
    application = web.Application()
    SimpleRequestHandler(dispatcher, bot).register(application, path="/telegram")
    setup_application(application, dispatcher, bot=bot)
    listening = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listening.getsockname()[1]}/telegram"

    async def set_webhook() -> None:
        await bot.set_webhook(address, max_connections=100)

    dispatcher.startup.register(set_webhook)
    web.run_app(application, sock=listening, print=None, loop=uvloop.new_event_loop())


def _of_aiogram(token: str, api_url: str) -> tuple[Any, Any]:
    from aiogram import Bot, Dispatcher
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer
    from aiogram.types import Message

    dispatcher = Dispatcher()

    @dispatcher.message()
    async def repeat(message: Message) -> None:
        await message.answer(message.text or "")

    return dispatcher, Bot(token, AiohttpSession(api=TelegramAPIServer.from_base(api_url)))


KINDS = {
    "bare": bare,
    "concurrent": concurrent,
    "network": network,
    "aiogram": with_aiogram,
    "aiogram-webhook": with_aiogram_webhook,
}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    leave_out()
    KINDS[sys.argv[1]](*sys.argv[2:])
