"""Everything that the bot and its commands load, for the process from which tests fork them (see forks.py).

The catalogs and the library are read here too, and its phrases made ready: that takes ten times as long as the rest of
a start, and it always comes to the same. What a start does when they are absent or wrong is tested with a Python of its
own or with another folder.
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
from bot.library.phrases import Phrases
from bot.services import use_cases

i18n.warm()
library.load = cache(library.load)
_safety = library.load(library.content_folder(), None).safety
_phrases = Phrases(_safety)
_phrases.prepare()
setattr(use_cases, "Phrases", lambda safety: _phrases if safety is _safety else Phrases(safety))  # noqa: B010  # for mypy

gc.collect()
gc.freeze()  # otherwise each fork's first collection writes to, and thereby copies, all of this
