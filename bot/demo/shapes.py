"""What a value must look like. Every check takes a name and a raw value, and returns the parsed value or refuses it.

Forms carry only strings, JSON carries values: both are accepted where the real server accepts both. Object fields that
the bot doesn't use are left out on purpose and refused like misspelt ones.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from bot.demo.errors import bad_request, strict

Check = Callable[[str, Any], Any]
_INTEGER = re.compile(r"-?[0-9]{1,19}")


def integer(name: str, raw: Any) -> int:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and _INTEGER.fullmatch(raw):
        return int(raw)
    raise strict(f'"{name}" must be an integer')


def boolean(name: str, raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.lower() in ("true", "false"):
        return raw.lower() == "true"
    raise strict(f'"{name}" must be true or false')


def string(name: str, raw: Any) -> str:
    if not isinstance(raw, str):
        raise strict(f'"{name}" must be a string')
    return raw


def chat(name: str, raw: Any) -> int:
    if isinstance(raw, str) and raw.startswith("@"):
        raise bad_request("chat not found")  # nobody here has a public name
    return integer(name, raw)


def parsed(check: Check) -> Check:
    """Make a check for a JSON value, which is plain in a JSON body and serialised in a form."""

    def parse(name: str, raw: Any) -> Any:
        if isinstance(raw, str):
            try:
                raw = json.loads(raw)
            except ValueError:
                raise bad_request(f"can't parse {name} JSON object") from None
        return check(name, raw)

    return parse


def items(check: Check) -> Check:
    def each(name: str, raw: Any) -> list[Any]:
        if not isinstance(raw, list):
            raise bad_request(f"expected an Array of {name}")
        return [check(name, value) for value in raw]

    return each


class Shape:
    """An object with these fields and no others."""

    def __init__(self, required: dict[str, Check], optional: dict[str, Check]) -> None:
        self.required = required
        self.optional = optional

    def __call__(self, name: str, raw: Any) -> dict[str, Any]:
        if not isinstance(raw, dict):
            raise bad_request(f"{name} must be an Object")
        for field in self.required:
            if field not in raw:
                raise bad_request(f'can\'t find field "{field}" in {name}')
        checks = self.required | self.optional
        for field in raw:
            if field not in checks:
                raise strict(f'{name} has a field "{field}" that is not served here')
        return {field: checks[field](f"{name}.{field}", value) for field, value in raw.items()}


INLINE_BUTTON = Shape(
    {"text": string},
    {
        "callback_data": string,
        "url": string,
        "copy_text": Shape({"text": string}, {}),
        "switch_inline_query": string,
        "switch_inline_query_current_chat": string,
        "style": string,
    },
)
INLINE_KEYBOARD = Shape({"inline_keyboard": items(items(INLINE_BUTTON))}, {})
KEY = Shape({"text": string}, {"request_location": boolean, "request_contact": boolean, "style": string})


def key(name: str, raw: Any) -> Any:
    """Check a key of a reply keyboard, which may also be a bare string."""
    return KEY(name, {"text": raw} if isinstance(raw, str) else raw)


REPLY_KEYBOARD = Shape(
    {"keyboard": items(items(key))},
    {
        "is_persistent": boolean,
        "resize_keyboard": boolean,
        "one_time_keyboard": boolean,
        "input_field_placeholder": string,
        "selective": boolean,
    },
)
REMOVE_KEYBOARD = Shape({"remove_keyboard": boolean}, {"selective": boolean})
FORCE_REPLY = Shape({"force_reply": boolean}, {"input_field_placeholder": string, "selective": boolean})
LINK_PREVIEW = Shape(
    {},
    {
        "is_disabled": boolean,
        "url": string,
        "prefer_small_media": boolean,
        "prefer_large_media": boolean,
        "show_above_text": boolean,
    },
)
REPLY_PARAMETERS = Shape({"message_id": integer}, {"allow_sending_without_reply": boolean})
ENTITY = Shape(
    {"type": string, "offset": integer, "length": integer},
    {"url": string, "language": string},
)
COMMAND = Shape({"command": string, "description": string}, {})
REACTION = Shape({"type": string, "emoji": string}, {})
SCOPE = Shape({"type": string}, {"chat_id": chat, "user_id": integer})
