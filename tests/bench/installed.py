"""Runs the bot as operators install it: without the packages that only developers have.

structlog and httpx load rich, and that loads Pygments, if they are there. Nothing here uses them, and a bot would seem
to need some MiB more than it does.

python -m tests.bench.installed run
"""

import runpy
import sys
from typing import Final

_ONLY_DEVELOPERS_HAVE: Final = ("rich", "pygments")


def leave_out() -> None:
    """Let every import of such a package fail, as if it weren't installed."""
    for name in _ONLY_DEVELOPERS_HAVE:
        sys.modules[name] = None  # type: ignore[assignment]


if __name__ == "__main__":
    leave_out()
    runpy.run_module("bot", run_name="__main__", alter_sys=True)
