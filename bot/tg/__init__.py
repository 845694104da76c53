"""Telegram: the only place that imports `telegram`."""

import os

# python-telegram-bot warns about every duration unless it is told to return timedeltas, as it will from v23 on.
os.environ.setdefault("PTB_TIMEDELTA", "1")
