"""What a request handler finds in the application."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from aiohttp import web

from bot.demo.timefile import TimeFile
from bot.demo.world import World

NextDue = Callable[[], Awaitable[datetime | None]]

WORLD = web.AppKey("WORLD", World)
TIME_FILE: web.AppKey[TimeFile | None] = web.AppKey("TIME_FILE")
NEXT_DUE: web.AppKey[NextDue | None] = web.AppKey("NEXT_DUE")
