"""Telegram: the only place that imports `telegram`."""

import os

# python-telegram-bot warns whenever it is asked for a duration, unless told to give timedeltas as it will from v23 on.
os.environ.setdefault("PTB_TIMEDELTA", "1")
