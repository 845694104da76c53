"""An embedded stand-in for Telegram: a strict Bot API server on loopback, and a page with phones and a clock.

It supports only what the bot uses. What it refuses, the real server refuses too, or silently ignores, which would hide
a mistake (unknown parameters). Sources: the Bot API reference, and the error texts in the public server's code.
"""
