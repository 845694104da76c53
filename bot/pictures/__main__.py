"""The child process: reads a Picture as JSON, and writes a PNG."""

import json
import os
import sys

from bot.pictures import Picture, Week
from bot.pictures.weeks import png_of


def main() -> None:
    os.nice(5)  # the bot itself comes first
    asked = json.load(sys.stdin)
    weeks = tuple(Week(week["label"], tuple(week["words"])) for week in asked["weeks"])
    sys.stdout.buffer.write(png_of(Picture(weeks, from_right=asked["from_right"])))


if __name__ == "__main__":
    main()
