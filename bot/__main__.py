"""`python -m bot` is `ajar`."""

import os
import signal
import sys


def _not_begun(*_: object) -> None:
    """A stop before the bot has begun, while it is still being loaded: nothing to finish, and a clean one.

    At once, and not by an exception: what is just being loaded may swallow one.
    """
    os._exit(0)


if sys.argv[1:2] in (["run"], ["demo"]):
    for _number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(_number, _not_begun)

from bot.cli import main  # noqa: E402  # loading takes most of a second, in which a stop may come

if __name__ == "__main__":
    main()
