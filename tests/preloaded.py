"""Everything that the bot and its commands load, for the process from which tests fork them (see forks.py)."""

import ctypes  # noqa: F401
import gc

import uvloop  # noqa: F401

import bot.app
import bot.cli
import bot.copies
import bot.healthcheck
import bot.operating  # noqa: F401

gc.collect()
gc.freeze()  # otherwise each fork's first collection writes to, and thereby copies, all of this
