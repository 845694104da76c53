"""Tells systemd the state of the service: ready, still alive, stopping, and a sentence for `systemctl status`.

The protocol is one datagram with NAME=VALUE lines: https://www.freedesktop.org/software/systemd/man/sd_notify.html. The
libraries for it are unmaintained, or need libsystemd's headers.
"""

import os
import socket
import sys


def notify(*facts: str) -> None:
    """Send facts like READY=1, if systemd has started this process and wants to hear them. It never fails."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if sys.platform == "win32" or not address.startswith(("/", "@")):
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
            there.setblocking(False)
            there.connect(f"\0{address[1:]}" if address[0] == "@" else address)
            there.send("\n".join(facts).encode())
    except OSError:  # a message that systemd misses mustn't stop the bot
        return


def watchdog_seconds() -> float | None:
    """Return how long systemd waits for a sign of life before it kills this process; None if it doesn't."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    return int(microseconds) / 1e6 if microseconds.isdecimal() and int(microseconds) else None
