"""`python -m bot` is `ajar`."""

from bot.cli import main

if __name__ == "__main__":
    main()
