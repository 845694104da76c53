"""An embedded stand-in for Telegram: a strict Bot API server on loopback, and a page with phones and a clock.

It speaks only what the bot uses. What it refuses, the real server refuses as well, or ignores where ignoring would
hide a mistake (unknown parameters). Sources: the Bot API reference and the error texts of the public server's code.
"""
