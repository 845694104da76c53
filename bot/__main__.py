"""`python -m bot` is `ajar`."""

import os
import signal
import sys


def _not_begun(*_: object) -> None:
    """End cleanly on a stop signal while the bot is still being loaded: there is nothing to finish.

    Use os._exit and not an exception, which a module that is being imported might swallow.
    """
    os._exit(0)


if sys.argv[1:2] in (["run"], ["demo"]):
    for _number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(_number, _not_begun)

from bot.cli import main  # noqa: E402  # loading takes most of a second, and a stop can come during it

if __name__ == "__main__":
    main()
