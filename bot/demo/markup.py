"""Keyboards: their kinds, and the checks that the server makes."""

import json
from typing import Any
from urllib.parse import urlsplit

from bot.demo import shapes
from bot.demo.errors import bad_request, strict

Markup = dict[str, Any]

MAX_BUTTONS = 100
MAX_BYTES = 10_000
MAX_CALLBACK_BYTES = 64
MAX_COPY_CHARACTERS = 256
_KINDS = {
    "inline_keyboard": shapes.INLINE_KEYBOARD,
    "keyboard": shapes.REPLY_KEYBOARD,
    "remove_keyboard": shapes.REMOVE_KEYBOARD,
    "force_reply": shapes.FORCE_REPLY,
}
_STYLES = ("danger", "success", "primary")
_ACTIONS = ("callback_data", "url", "copy_text", "switch_inline_query", "switch_inline_query_current_chat")


def markup(name: str, raw: Any) -> Markup:
    """Check a keyboard of any kind. For an inline keyboard without buttons, return an empty object: no keyboard."""
    if not isinstance(raw, dict):
        raise bad_request("object expected as reply markup")
    if not raw:
        return {}
    shape = next((shape for kind, shape in _KINDS.items() if kind in raw), None)
    if shape is None:
        raise strict(f"{name} is no kind of keyboard")
    checked = shape(name, raw)
    if "inline_keyboard" in checked:
        return _inline(checked)
    if "keyboard" in checked:
        _reply_keyboard(checked)
    elif not checked.get("remove_keyboard", checked.get("force_reply")):
        raise strict(f"{name} asks for nothing")
    return checked


def _inline(checked: Markup) -> Markup:
    rows = [row for row in checked["inline_keyboard"] if row]
    buttons = [button for row in rows for button in row]
    for button in buttons:
        _inline_button(button)
    if len(buttons) > MAX_BUTTONS or len(json.dumps(rows, ensure_ascii=False).encode()) > MAX_BYTES:
        raise bad_request("reply markup is too long")
    return {"inline_keyboard": rows} if rows else {}


def _inline_button(button: dict[str, Any]) -> None:
    if not button["text"].strip():
        raise bad_request("inline keyboard button text must be non-empty")
    actions = [action for action in _ACTIONS if action in button]
    if not actions:
        raise bad_request("text buttons are unallowed in the inline keyboard")
    if len(actions) > 1:
        raise strict(f'button "{button["text"]}" does more than one thing: {", ".join(actions)}')
    if button.get("style", "primary") not in _STYLES:
        raise strict(f"button style must be one of {', '.join(_STYLES)}")
    match actions[0]:
        case "callback_data" if not 1 <= len(button["callback_data"].encode()) <= MAX_CALLBACK_BYTES:
            raise bad_request("BUTTON_DATA_INVALID")
        case "copy_text" if not 1 <= len(button["copy_text"]["text"]) <= MAX_COPY_CHARACTERS:
            raise bad_request("BUTTON_COPY_TEXT_INVALID")
        case "url":
            _address(button["url"])


def _address(url: str) -> None:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in ("http", "https", "tg") or (parts.scheme != "tg" and "." not in (parts.hostname or "")):
        raise bad_request(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")


def _reply_keyboard(checked: Markup) -> None:
    rows = [row for row in checked["keyboard"] if row]
    if not rows:
        raise bad_request("can't parse reply keyboard markup: keyboard must be non-empty")
    if any(not key["text"].strip() for row in rows for key in row):
        raise bad_request("keyboard button text must be non-empty")
    if sum(map(len, rows)) > 3 * MAX_BUTTONS:
        raise bad_request("reply markup is too long")
    checked["keyboard"] = rows
