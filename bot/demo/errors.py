"""The two ways in which the stand-in says no: to the bot, and to a person using the page."""

from typing import Any


class Refused(Exception):
    """An answer of the Bot API with `ok: false`."""

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {"ok": False, "error_code": self.code, "description": self.description}
        if self.parameters:
            body["parameters"] = self.parameters
        return body


class NotPossible(Exception):
    """Something that a phone would not let its owner do. The text is one sentence for the person using the page."""


def bad_request(text: str) -> Refused:
    return Refused(400, f"Bad Request: {text}")


def strict(text: str) -> Refused:
    """Refuse something that the real server would silently accept, but that is a mistake anyway."""
    return Refused(400, f"Bad Request: strict: {text}")


def forbidden(text: str) -> Refused:
    return Refused(403, f"Forbidden: {text}")
