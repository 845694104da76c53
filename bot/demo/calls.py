"""The log of the bot's calls, for tests and for anyone who is curious. It is bounded, and nothing in it is copied."""

from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any

KEPT = 20_000


class Calls:
    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._log: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.count = 0

    def add(self, method: str, params: dict[str, Any], status: int, result_or_error: Any, *, ok: bool) -> None:
        """Log a call. Status 0 means that the connection was cut or the caller gone; `ok` is whether it was applied."""
        self.count += 1
        self._log.append(
            {
                "n": self.count,
                "method": method,
                "params": params,
                "time": self._now(),
                "status": status,
                "ok": ok,
                "result_or_error": result_or_error,
            }
        )

    def since(self, n: int = 0) -> list[dict[str, Any]]:
        """Return the calls after the n-th, oldest first, times as ISO 8601 in UTC. Only the last 20,000 are kept."""
        found = []
        for call in reversed(self._log):
            if call["n"] <= n:
                break
            found.append({**call, "time": call["time"].isoformat()})
        return found[::-1]
