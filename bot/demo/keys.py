"""The keys of the objects that request handlers find in the application."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from aiohttp import web

from bot.demo.timefile import TimeFile
from bot.demo.world import World

NextDue = Callable[[], Awaitable[datetime | None]]
Zones = Callable[[], Awaitable[Mapping[int, str]]]
"""Returns the zone that each person has told the bot, by their id."""

WORLD = web.AppKey("WORLD", World)
TIME_FILE: web.AppKey[TimeFile | None] = web.AppKey("TIME_FILE")
NEXT_DUE: web.AppKey[NextDue | None] = web.AppKey("NEXT_DUE")
ZONES: web.AppKey[Zones | None] = web.AppKey("ZONES")
WALKING: web.AppKey[asyncio.Lock] = web.AppKey("WALKING")
