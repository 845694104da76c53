"""Renders the state: for the bot as the Bot API does, and for the page in the form that the page needs."""

from datetime import datetime
from typing import Any

from bot.demo.world import Chat, Json, Message, World

SHOWN_MESSAGES = 300  # per phone, on the page
_ACTIONS = {
    "callback_data": "callback",
    "url": "url",
    "switch_inline_query": "switch_inline",
    "switch_inline_query_current_chat": "switch_inline",
}


# For the bot


def message_json(world: World, message: Message, *, with_reply: bool = True) -> Json:
    """Return a Message of the Bot API. It contains the message that it replies to, but not what that one replies to."""
    chat = world.chats[message.chat_id]
    shown: Json = {"message_id": message.message_id, "date": message.date, "chat": chat.as_json()}
    shown["sender_chat" if chat.kind == "channel" else "from"] = (
        chat.as_json() if chat.kind == "channel" else world.user(message.sender)
    )
    shown |= message.content
    if message.edit_date:
        shown["edit_date"] = message.edit_date
    if message.protected:
        shown["has_protected_content"] = True
    if "inline_keyboard" in message.markup:
        shown["reply_markup"] = message.markup
    if with_reply and message.reply_to:
        replied = world.message(chat, message.reply_to)
        if replied:
            shown["reply_to_message"] = message_json(world, replied, with_reply=False)
    return shown


def inaccessible(chat: Chat, message_id: int) -> Json:
    """Return what a callback query contains in place of a message that is gone."""
    return {"chat": chat.as_json(), "message_id": message_id, "date": 0}


def chat_info(chat: Chat) -> Json:
    """Return a ChatFullInfo with its required fields."""
    gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
    return {
        **chat.as_json(),
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(gifts, False),
    }


def member(world: World, status: str) -> Json:
    shown: Json = {"user": world.bot, "status": status}
    if status == "kicked":
        shown["until_date"] = 0
    if status == "administrator":
        shown |= dict.fromkeys(_RIGHTS, False)
    return shown


_RIGHTS = (
    "can_be_edited",
    "is_anonymous",
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
)


# For the page


def menu_scope(chat_id: int) -> str:
    """Return the name under which one chat's commands are stored."""
    return f"chat {chat_id}"


def phone_view(world: World, chat: Chat) -> Json:
    ids = list(chat.messages)[-SHOWN_MESSAGES:]
    return {
        "user": {key: value for key, value in chat.user.items() if key != "is_bot"},
        "blocked": chat.blocked,
        "started": chat.started,
        "bot_left": chat.bot_left,
        "commands": world.commands.get(menu_scope(chat.chat_id), {}),
        "chat": [message_view(world, chat.messages[message_id]) for message_id in ids],
    }


def message_view(world: World, message: Message) -> Json:
    view: Json = {
        "message_id": message.message_id,
        "date": message.date,
        "from": "bot" if message.by_bot else "user",
        "protected": message.protected,
        "reactions": [{"emoji": emoji, "from": who} for who, emoji in message.reactions.items()],
        "deleted": message.deleted or message.hidden,
    }
    if message.edit_date:
        view["edit_date"] = message.edit_date
    if message.deleted or message.hidden:
        return view
    view |= {name: value for name, value in message.content.items() if name != "forward_origin"}
    if "forward_origin" in message.content:
        view["forwarded"] = True
    if "photo" in view:
        largest = view["photo"][-1]
        size = {"width": largest["width"], "height": largest["height"]}
        view["photo"] = {"url": file_url(largest["file_id"]), **size}
    if "document" in view:
        document = view["document"]
        view["document"] = {
            "file_name": document["file_name"],
            "url": file_url(document["file_id"]),
            "size": document["file_size"],
        }
    if message.reply_to:
        view["reply_to"] = _quote(world, world.chats[message.chat_id], message.reply_to)
    if "inline_keyboard" in message.markup:
        view["keyboard"] = [[_button(button) for button in row] for row in message.markup["inline_keyboard"]]
    elif message.markup:
        view["reply_keyboard"] = message.markup
    return view


def file_url(file_id: str) -> str:
    return f"/demo/files/{file_id}"


def _quote(world: World, chat: Chat, message_id: int) -> Json:
    replied = world.message(chat, message_id)
    text = (replied.content.get("text") or replied.content.get("caption") or "") if replied else ""
    return {"message_id": message_id, "text": text}


def _button(button: Json) -> Json:
    view = {"text": button["text"]}
    if "style" in button:
        view["style"] = button["style"]
    if "copy_text" in button:
        return {**view, "kind": "copy_text", "value": button["copy_text"]["text"]}
    action = next(action for action in _ACTIONS if action in button)
    return {**view, "kind": _ACTIONS[action], "value": button[action]}


def bot_view(world: World) -> Json:
    """Return the bot's profile. The commands are those for private chats, or the default ones if there are none."""
    general, private = world.commands.get("default", {}), world.commands.get("all_private_chats", {})
    return {
        **{key: world.bot[key] for key in ("id", "first_name", "username")},
        **world.descriptions,
        "commands": general | private,
    }


def clock_view(now: datetime, offset: float) -> Json:
    return {"now": now.isoformat(), "offset": offset, "live": True}


def snapshot(world: World, offset: float) -> Json:
    """Return everything that the page needs when it opens."""
    return {
        "bot": bot_view(world),
        "clock": clock_view(world.now(), offset),
        "phones": [phone_view(world, chat) for chat in world.chats.values() if chat.private],
    }


def phone_of(world: World, chat_id: int) -> Any:
    chat = world.chats.get(chat_id)
    return phone_view(world, chat) if chat and chat.private else None
