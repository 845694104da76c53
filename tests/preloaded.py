"""Everything that the bot and its commands load, for the process from which tests fork them (see forks.py).

The catalogs and the library are read here too: that takes longer than the rest of a start, and it always comes to the
same. What a start does when they are absent or wrong is tested with a Python of its own or with another folder.
"""

import ctypes  # noqa: F401
import gc
from functools import cache

import uvloop  # noqa: F401

import bot.app
import bot.cli
import bot.copies
import bot.healthcheck
import bot.operating  # noqa: F401
from bot import i18n, library

i18n.warm()
library.load = cache(library.load)
library.load(library.content_folder())

gc.collect()
gc.freeze()  # otherwise each fork's first collection writes to, and thereby copies, all of this
