"""Everything that the bot and its commands load, for the process from which tests fork them (see forkserver.py).

The catalogs and the library are read here too, its phrases made ready, and the statements of a whole life compiled:
that takes ten times as long as the rest of a start, and it always comes to the same. What a start does when they are
absent or wrong is tested with a Python of its own or with another folder.
"""

import asyncio
import copy
import ctypes  # noqa: F401
import mimetypes
import resource  # noqa: F401
import stringprep  # noqa: F401
import tempfile
from collections import OrderedDict
from datetime import timedelta
from pathlib import Path
from typing import Final
from unittest import mock

import asyncpg  # noqa: F401
import uvloop  # noqa: F401

import bot.app
import bot.cli
import bot.copies
import bot.doctor
import bot.healthcheck
import bot.keys
import bot.operating
import bot.web.metrics
import bot.web.readiness
import bot.web.server  # noqa: F401
from bot import i18n, library, metrics
from tests.databases import share_compiled_statements
from tests.machine import IN_MEMORY
from tests.reused import reuse_library, reuse_phrases, settle_soon
from tests.silence.world import B, Beginning, World

_ENDS: Final = ("erase", "unpair")
_TEXTS: Final = ("rain on the roof all night", "and again", "22:30 to 6:45", "Bobby", "ab1d-efgh")


def _live_some_days() -> None:
    """Live as a person who tries everything, so that no bot has to compile the statements for it.

    Nothing but what was compiled and loaded is left: a bot that is forked has drawn no id and counted nothing.
    """
    before = copy.deepcopy([vars(metric) for metric in metrics.METRICS])
    with (
        mock.patch.multiple("bot.storage.ids", _risen=0, _drawn=OrderedDict()),
        tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder,
    ):
        asyncio.run(_live(Path(folder)))
    for metric, values in zip(metrics.METRICS, before, strict=True):
        vars(metric).update(values)


async def _live(folder: Path) -> None:
    beginning = await Beginning.make(folder)
    async with beginning.life(folder / "bot") as world:
        await _try_everything(world)
        await world.until(world.clock.now() + timedelta(days=2))


async def _try_everything(world: World) -> None:
    tapped: set[str] = set()
    for command in sorted(world.commands - set(_ENDS)):
        await world.says(B, f"/{command}")
        await _tap(world, tapped)
    for text in _TEXTS:
        await world.says(B, text)
        await _tap(world, tapped)


async def _tap(world: World, tapped: set[str]) -> None:
    """Tap one button of each kind that is in sight and wasn't tapped before."""
    for message_id, data in world.recorder.buttons(B):
        kind = data.split(":")[1]
        if kind not in tapped and not kind.startswith(_ENDS):
            tapped.add(kind)
            await world.taps(B, message_id, data)


reuse_library()
settle_soon()
i18n.warm()
reuse_phrases()(library.load(library.content_folder(), None).safety).prepare()
mimetypes.init()
share_compiled_statements()
_live_some_days()
