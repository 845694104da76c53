"""Faults that a test or a person using the page can switch on: what Telegram and the network do on a bad day."""

from dataclasses import dataclass
from typing import Any

from bot.demo.errors import NotPossible, Refused

ANY_METHOD = "*"
ANSWERS = ("429", "403", "400", "404", "401", "502", "cut_before", "cut_after", "malformed", "strange")
SLOW = "slow"
# Faults of a batch of updates; "malformed" is one update in it, not the whole answer.
POLL_ONLY = ("repeat", "shuffle", "malformed")
DESCRIPTIONS = {
    "400": "Bad Request: chat not found",
    "401": "Unauthorized",
    "403": "Forbidden: bot was blocked by the user",
    "404": "Not Found",
}
HTML_502 = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><h1>502 Bad Gateway</h1></body>\r\n</html>\r\n"
)
GET_UPDATES = "getupdates"


@dataclass
class Fault:
    """A fault that affects the next `times` matching calls; a negative number means until it is cleared."""

    method: str
    kind: str
    times: int = 1
    chat_id: int | None = None
    retry_after: int = 1
    seconds: float = 1.0
    description: str = ""
    result: Any = None  # replaces the correct result, for "strange"

    def matches(self, method: str, chat_id: int | None) -> bool:
        return self.method in (ANY_METHOD, method) and self.chat_id in (None, chat_id)

    def refusal(self) -> Refused:
        if self.kind == "429":
            text = self.description or f"Too Many Requests: retry after {self.retry_after}"
            return Refused(429, text, retry_after=self.retry_after)
        return Refused(int(self.kind), self.description or DESCRIPTIONS[self.kind])


class Faults:
    def __init__(self) -> None:
        self._on: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Switch a fault on. Raises NotPossible for a kind that doesn't exist at all or for that method."""
        fault.method = fault.method.lower()
        kinds = (*ANSWERS, SLOW, *(POLL_ONLY if fault.method == GET_UPDATES else ()))
        if fault.kind not in kinds:
            raise NotPossible(f'"{fault.kind}" is no fault of {fault.method}; there are {", ".join(kinds)}.')
        if fault.times:
            self._on.append(fault)

    def clear(self) -> None:
        self._on.clear()

    def take(self, method: str, chat_id: int | None, kinds: tuple[str, ...]) -> Fault | None:
        """Return the first matching fault of these kinds, and count it as used once."""
        if not self._on:
            return None
        method = method.lower()
        for fault in self._on:
            if fault.kind in kinds and fault.matches(method, chat_id):
                fault.times -= 1
                if fault.times == 0:
                    self._on.remove(fault)
                return fault
        return None
