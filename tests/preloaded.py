"""Everything that the bot and its commands load, for the process from which tests fork them (see forkserver.py).

The catalogs and the library are read here too, and its phrases made ready: that takes ten times as long as the rest of
a start, and it always comes to the same. What a start does when they are absent or wrong is tested with a Python of its
own or with another folder. Nothing else is done ahead: to have lived through everything, so that no statement had to be
compiled, took longer than it saved.
"""

import ctypes  # noqa: F401
import mimetypes
import resource  # noqa: F401
import stringprep  # noqa: F401

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
from bot import i18n, library
from tests.reused import reuse_library, reuse_phrases, settle_soon

reuse_library()
settle_soon()
i18n.warm()
reuse_phrases()(library.load(library.content_folder(), None).safety).prepare()
mimetypes.init()
