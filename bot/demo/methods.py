"""The Bot API methods that send, edit and delete messages. Each takes checked parameters and returns a result.

Checks come in the real server's order: first the parameters, then the chat, then the message.
"""

from collections.abc import Callable
from typing import Any

from bot.demo.entities import checked_entities, formatted
from bot.demo.errors import bad_request, strict
from bot.demo.files import document, photo
from bot.demo.reactions import EMOJI
from bot.demo.render import message_json
from bot.demo.world import BOT_ID, Chat, Json, Message, World

Params = dict[str, Any]
Method = Callable[[World, Params], Any]

MAX_TEXT = 4096  # code points, after the HTML is parsed
MAX_CAPTION = 1024
MAX_ANSWER = 200
MAX_DELETED = 100
DELETABLE = 48 * 3600  # seconds
ACTIONS = (
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
)
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current "
    "content and reply markup of the message"
)


# Sending


def send_message(world: World, params: Params) -> Json:
    content = _text(params)
    return _send(world, params, lambda _: content)


def send_photo(world: World, params: Params) -> Json:
    caption = _caption(params)
    return _send(world, params, lambda world: photo(world, params["photo"]) | caption)


def send_document(world: World, params: Params) -> Json:
    caption = _caption(params)
    return _send(world, params, lambda world: document(world, params["document"]) | caption)


def _send(world: World, params: Params, content: Callable[[World], Json]) -> Json:
    chat = world.chat_to_write(params["chat_id"])
    facts = {
        "reply_to": _reply_to(world, chat, params.get("reply_parameters")),
        "markup": _markup(chat, params),
        "protected": params.get("protect_content", False),
    }
    message = world.add_message(chat, BOT_ID, content(world), **facts)
    return message_json(world, message)


def _text(params: Params) -> Json:
    text, entities = _formatted(params, "text", "entities")
    if not text:
        raise bad_request("message text is empty")
    if len(text) > MAX_TEXT:
        raise bad_request("message is too long")
    content: Json = {"text": text}
    if entities:
        content["entities"] = entities
    if "link_preview_options" in params:
        content["link_preview_options"] = params["link_preview_options"]
    if "message_effect_id" in params:
        content["effect_id"] = params["message_effect_id"]
    return content


def _caption(params: Params) -> Json:
    text, entities = _formatted(params, "caption", "caption_entities")
    if len(text) > MAX_CAPTION:
        raise bad_request("message caption is too long")
    content: Json = {"caption": text} if text else {}
    if entities:
        content["caption_entities"] = entities
    if params.get("show_caption_above_media"):
        content["show_caption_above_media"] = True
    if params.get("has_spoiler"):
        content["has_media_spoiler"] = True
    return content


def _formatted(params: Params, text_name: str, entities_name: str) -> tuple[str, list[Json]]:
    text = params.get(text_name, "")
    entities = checked_entities(text, params[entities_name]) if entities_name in params else None
    return formatted(text, params.get("parse_mode"), entities)


def _reply_to(world: World, chat: Chat, reply: Json | None) -> int | None:
    if not reply:
        return None
    if world.message(chat, reply["message_id"]):
        return int(reply["message_id"])
    if reply.get("allow_sending_without_reply"):
        return None
    raise bad_request("message to be replied not found")


def _markup(chat: Chat, params: Params) -> Json:
    markup: Json = params.get("reply_markup", {})
    keys = [key for row in markup.get("keyboard", ()) for key in row]
    if not chat.private and any("request_location" in key or "request_contact" in key for key in keys):
        raise bad_request("location can be requested in private chats only")
    if chat.kind == "channel" and markup and "inline_keyboard" not in markup:
        raise bad_request("inline keyboard expected")
    return markup


# Editing


def edit_text(world: World, params: Params) -> Json:
    content = _text(params)
    message = _editable(world, params)
    if "text" not in message.content:
        raise bad_request("there is no text in the message to edit")
    effect = {name: value for name, value in message.content.items() if name == "effect_id"}
    return _change(world, message, content | effect, _inline(params))


def edit_caption(world: World, params: Params) -> Json:
    caption = _caption(params)
    message = _editable(world, params)
    if "text" in message.content:
        raise bad_request("there is no caption in the message to edit")
    kept = {name: value for name, value in message.content.items() if not name.startswith(("caption", "show_caption"))}
    return _change(world, message, kept | caption, _inline(params))


def edit_markup(world: World, params: Params) -> Json:
    message = _editable(world, params)
    return _change(world, message, message.content, _inline(params))


def _editable(world: World, params: Params) -> Message:
    chat = world.chat_to_write(params["chat_id"])
    message = world.message(chat, params["message_id"])
    if message is None:
        raise bad_request("message to edit not found")
    if not message.by_bot or (message.markup and "inline_keyboard" not in message.markup):
        raise bad_request("message can't be edited")
    return message


def _inline(params: Params) -> Json:
    """Return the keyboard after an edit; there is none if the edit brings none."""
    markup: Json = params.get("reply_markup", {})
    if markup and "inline_keyboard" not in markup:
        raise bad_request("inline keyboard expected")
    return markup


def _change(world: World, message: Message, content: Json, markup: Json) -> Json:
    if content == message.content and markup == message.markup:
        raise bad_request(NOT_MODIFIED)
    if content != message.content:  # readers don't see "edited" if only the buttons change
        message.edit_date = world.time()
    message.content, message.markup = content, markup
    world.changed(message)
    return message_json(world, message)


# Deleting


def delete_message(world: World, params: Params) -> bool:
    chat = world.chat_for_bot(params["chat_id"])
    message = world.message(chat, params["message_id"])
    if message is None:
        raise bad_request("message to delete not found")
    _check_deletable(world, chat, message)
    world.delete(message)
    return True


def delete_messages(world: World, params: Params) -> bool:
    """Delete messages. Those that don't exist are skipped; one that is too old stops the whole call."""
    ids = params["message_ids"]
    if not ids:
        raise bad_request("message identifiers are not specified")
    if len(ids) > MAX_DELETED:
        raise bad_request("too many message identifiers specified")
    chat = world.chat_for_bot(params["chat_id"])
    messages = [message for message_id in ids if (message := world.message(chat, message_id))]
    for message in messages:
        _check_deletable(world, chat, message)
    for message in messages:
        world.delete(message)
    return True


def _check_deletable(world: World, chat: Chat, message: Message) -> None:
    if world.time() - message.date > DELETABLE:
        raise bad_request("message can't be deleted for everyone")
    if not chat.private and not message.by_bot:
        raise bad_request("message can't be deleted")


# Other things that a person sees


def answer_callback(world: World, params: Params) -> bool:
    text = params.get("text", "")
    if len(text) > MAX_ANSWER:
        raise bad_request("MESSAGE_TOO_LONG")
    alert = params.get("show_alert", False)
    query = world.queries.answer(params["callback_query_id"], {"text": text, "alert": alert})
    if text:
        toast = {"user_id": query.user_id, "text": text, "alert": alert, "message_id": query.message_id}
        world.hub.tell("toast", toast)
    return True


def send_action(world: World, params: Params) -> bool:
    if params["action"] not in ACTIONS:
        raise bad_request("wrong parameter action in request")
    chat = world.chat_to_write(params["chat_id"])
    world.hub.tell("action", {"user_id": chat.chat_id, "action": params["action"]})
    return True


def react(world: World, params: Params) -> bool:
    reactions = params.get("reaction", [])
    if any(reaction["type"] != "emoji" for reaction in reactions):
        raise strict("reactions other than emoji are not served here")
    if any(reaction["emoji"] not in EMOJI for reaction in reactions):
        raise bad_request("REACTION_INVALID")
    if len(reactions) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    chat = world.chat_to_write(params["chat_id"])
    message = world.message(chat, params["message_id"])
    if message is None:
        raise bad_request("message to react not found")
    message.reactions.pop("bot", None)
    if reactions:
        message.reactions["bot"] = reactions[0]["emoji"]
    world.changed(message)
    return True


METHODS: dict[str, Method] = {
    "sendMessage": send_message,
    "sendPhoto": send_photo,
    "sendDocument": send_document,
    "editMessageText": edit_text,
    "editMessageCaption": edit_caption,
    "editMessageReplyMarkup": edit_markup,
    "deleteMessage": delete_message,
    "deleteMessages": delete_messages,
    "answerCallbackQuery": answer_callback,
    "sendChatAction": send_action,
    "setMessageReaction": react,
}
