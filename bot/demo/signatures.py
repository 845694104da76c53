"""The methods and their parameters: the part of the Bot API that the bot uses.

A parameter has the same type wherever it occurs, so the types are in one table and methods only name their parameters.
tests/demo/test_schema.py compares this with an independent description of the Bot API.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.demo import shapes
from bot.demo.errors import Refused, bad_request, strict
from bot.demo.markup import markup
from bot.demo.shapes import Check, boolean, chat, integer, items, parsed, string


@dataclass(frozen=True)
class Upload:
    """A file from a multipart body."""

    name: str
    content: bytes

    def __repr__(self) -> str:
        return f"<{self.name}, {len(self.content)} bytes>"


def _file(name: str, raw: Any) -> str | Upload:
    if not isinstance(raw, str | Upload):
        raise bad_request(f"there is no {name} in the request")
    return raw


PARAMETERS: dict[str, Check] = {
    "action": string,
    "allow_paid_broadcast": boolean,
    "allowed_updates": parsed(items(string)),
    "cache_time": integer,
    "callback_query_id": string,
    "caption": string,
    "caption_entities": parsed(items(shapes.ENTITY)),
    "chat_id": chat,
    "commands": parsed(items(shapes.COMMAND)),
    "description": string,
    "disable_content_type_detection": boolean,
    "disable_notification": boolean,
    "document": _file,
    "drop_pending_updates": boolean,
    "entities": parsed(items(shapes.ENTITY)),
    "file_id": string,
    "has_spoiler": boolean,
    "is_big": boolean,
    "language_code": string,
    "limit": integer,
    "link_preview_options": parsed(shapes.LINK_PREVIEW),
    "max_connections": integer,
    "message_effect_id": string,
    "message_id": integer,
    "message_ids": parsed(items(integer)),
    "offset": integer,
    "parse_mode": string,
    "photo": _file,
    "protect_content": boolean,
    "reaction": parsed(items(shapes.REACTION)),
    "reply_markup": parsed(markup),
    "reply_parameters": parsed(shapes.REPLY_PARAMETERS),
    "scope": parsed(shapes.SCOPE),
    "secret_token": string,
    "short_description": string,
    "show_alert": boolean,
    "show_caption_above_media": boolean,
    "text": string,
    "timeout": integer,
    "url": string,
}


@dataclass(frozen=True)
class Signature:
    name: str
    required: frozenset[str]
    optional: frozenset[str]


def _signature(name: str, required: str = "", optional: str = "") -> Signature:
    return Signature(name, frozenset(required.split()), frozenset(optional.split()))


_SENDING = " disable_notification protect_content allow_paid_broadcast message_effect_id reply_parameters reply_markup"
_CAPTION = " caption parse_mode caption_entities" + _SENDING
_EDITED = "chat_id message_id"

SIGNATURES: dict[str, Signature] = {
    signature.name.lower(): signature
    for signature in (
        _signature("getMe"),
        _signature("getUpdates", optional="offset limit timeout allowed_updates"),
        _signature("setWebhook", "url", "max_connections allowed_updates drop_pending_updates secret_token"),
        _signature("deleteWebhook", optional="drop_pending_updates"),
        _signature("getWebhookInfo"),
        _signature("sendMessage", "chat_id text", "parse_mode entities link_preview_options" + _SENDING),
        _signature("sendPhoto", "chat_id photo", "show_caption_above_media has_spoiler" + _CAPTION),
        _signature("sendDocument", "chat_id document", "disable_content_type_detection" + _CAPTION),
        _signature("sendChatAction", "chat_id action"),
        _signature("editMessageText", _EDITED + " text", "parse_mode entities link_preview_options reply_markup"),
        _signature(
            "editMessageCaption",
            _EDITED,
            "caption parse_mode caption_entities show_caption_above_media reply_markup",
        ),
        _signature("editMessageReplyMarkup", _EDITED, "reply_markup"),
        _signature("deleteMessage", "chat_id message_id"),
        _signature("deleteMessages", "chat_id message_ids"),
        _signature("answerCallbackQuery", "callback_query_id", "text show_alert cache_time"),
        _signature("setMessageReaction", "chat_id message_id", "reaction is_big"),
        _signature("getFile", "file_id"),
        _signature("getChat", "chat_id"),
        _signature("leaveChat", "chat_id"),
        _signature("setMyCommands", "commands", "scope language_code"),
        _signature("getMyCommands", optional="scope language_code"),
        _signature("deleteMyCommands", optional="scope language_code"),
        _signature("setMyDescription", optional="description language_code"),
        _signature("getMyDescription", optional="language_code"),
        _signature("setMyShortDescription", optional="short_description language_code"),
        _signature("getMyShortDescription", optional="language_code"),
    )
}
_MISSING = {
    "chat_id": "chat_id is empty",
    "text": "message text is empty",
    "message_id": "message identifier is not specified",
    "message_ids": "message identifiers are not specified",
    "photo": "there is no photo in the request",
    "document": "there is no document in the request",
}


def find_signature(method: str) -> Signature:
    """Find a method. Names are not case-sensitive, as on the real server; an unknown one raises its 404."""
    try:
        return SIGNATURES[method.lower()]
    except KeyError:
        raise Refused(404, "Not Found: method not found") from None


def check(signature: Signature, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the typed parameters, or refuse; unknown ones are refused too, although the real server ignores them."""
    for name in raw:
        if name not in signature.required and name not in signature.optional:
            raise strict(f'{signature.name} takes no parameter "{name}" here')
    for name in sorted(signature.required):
        if raw.get(name) is None:
            raise bad_request(_MISSING.get(name, f'parameter "{name}" is required'))
    return {name: PARAMETERS[name](name, value) for name, value in raw.items() if value is not None}
