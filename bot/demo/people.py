"""People's actions on their phones, and the updates that the bot gets as a result.

Everything here raises NotPossible for actions that a phone would not let its owner do.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from bot.demo.entities import clean, with_found
from bot.demo.errors import NotPossible
from bot.demo.media import content_of
from bot.demo.queries import Query
from bot.demo.render import inaccessible, member, message_json
from bot.demo.world import BOT_ID, Chat, Json, Message, World

MAX_TEXT = 4096
EDITABLE = 48 * 3600  # seconds
SOMEBODY = {"id": 424242, "is_bot": False, "first_name": "Somebody"}


# In a private chat


def says(
    world: World, user_id: int, text: str, reply_to: int | None = None, links: Mapping[str, str] = MappingProxyType({})
) -> Message:
    """Send a text. Following a deep link sends `/start x`. `links` are the addresses behind some of its words."""
    return _sent(world, _unblocked(world, user_id), _text(text, links), reply_to=reply_to)


def sends(world: World, user_id: int, kind: str, **details: Any) -> Message:
    """Send something other than text; see media.py for the kinds."""
    return _sent(world, _unblocked(world, user_id), content_of(world, kind, details))


def sends_album(world: World, user_id: int, kind: str, count: int, **details: Any) -> list[Message]:
    """Send two to ten photos, videos or files at once: the bot gets a message for each, all with the same album id."""
    if kind not in ("photo", "video", "document") or not 2 <= count <= 10:  # noqa: PLR2004 - Telegram's limits
        raise NotPossible("An album has two to ten photos, videos or documents.")
    chat = _unblocked(world, user_id)
    album = {"media_group_id": str(world.last_message_id + 1)}
    contents = [content_of(world, kind, details if number == 0 else {}) for number in range(count)]
    return [_sent(world, chat, content | album) for content in contents]


def forwards(world: World, user_id: int, text: str, links: Mapping[str, str] = MappingProxyType({})) -> Message:
    chat = _unblocked(world, user_id)
    origin = {"type": "user", "date": world.time() - 3600, "sender_user": SOMEBODY}
    return _sent(world, chat, _text(text, links) | {"forward_origin": origin})


def _sent(world: World, chat: Chat, content: Json, reply_to: int | None = None) -> Message:
    if reply_to is not None and not world.message(chat, reply_to):
        raise NotPossible(f"There is no message {reply_to} to reply to.")
    chat.started = True
    message = world.add_message(chat, chat.chat_id, content, reply_to=reply_to)
    world.updates.add("message", message_json(world, message))
    return message


def _text(text: str, links: Mapping[str, str] = MappingProxyType({})) -> Json:
    text = clean(text).strip()
    if not 1 <= len(text) <= MAX_TEXT:
        raise NotPossible(f"A text has between 1 and {MAX_TEXT} characters.")
    text, entities = with_found(text, [_hidden(text, words, url) for words, url in links.items()])
    return {"text": text, "entities": entities} if entities else {"text": text}


def _hidden(text: str, words: str, url: str) -> Json:
    """Return the entity that hides an address behind these words of a text."""
    offset = len(text[: text.index(words)].encode("utf-16-le")) // 2
    return {"type": "text_link", "offset": offset, "length": len(words.encode("utf-16-le")) // 2, "url": url}


def edits(world: World, user_id: int, message_id: int, text: str) -> None:
    message = _own(world, user_id, message_id)
    if "text" not in message.content:
        raise NotPossible("Only texts can be edited here.")
    if world.time() - message.date > EDITABLE:
        raise NotPossible("A message can be edited for two days.")
    if message.content["text"] == text.strip():
        return
    kept = {name: value for name, value in message.content.items() if name not in ("text", "entities")}
    message.content = kept | _text(text)
    message.edit_date = world.time()
    world.changed(message)
    world.updates.add("edited_message", message_json(world, message))


def _own(world: World, user_id: int, message_id: int) -> Message:
    message = _seen(world, user_id, message_id)
    if message.by_bot:
        raise NotPossible("Only one's own messages can be edited.")
    return message


def hides(world: World, user_id: int, message_id: int) -> None:
    """Delete a message for oneself only; the bot isn't told."""
    message = _seen(world, user_id, message_id)
    message.hidden = True
    world.changed(message)


def _seen(world: World, user_id: int, message_id: int) -> Message:
    message = world.message(world.phone(user_id), message_id)
    if message is None or message.hidden:
        raise NotPossible(f"There is no message {message_id}.")
    return message


def taps(world: World, user_id: int, message_id: int, row: int, column: int) -> Json | Query:
    """Tap a button. Return the query that waits for its answer, or what the phone does on its own."""
    message = _seen(world, user_id, message_id)
    try:
        button = message.markup["inline_keyboard"][row][column]
    except (KeyError, IndexError):
        raise NotPossible(f"Message {message_id} has no button {row}, {column}.") from None
    if "callback_data" in button:
        return tap_data(world, user_id, message_id, button["callback_data"])
    if "copy_text" in button:
        return {"kind": "copy", "text": button["copy_text"]["text"]}
    if "url" in button:
        return {"kind": "url", "url": button["url"]}
    return {"kind": "switch_inline", "text": button.get("switch_inline_query", "")}


def tap_data(world: World, user_id: int, message_id: int, data: str) -> Query:
    """Send a tap with any data, even on a message that is gone or never had such a button."""
    chat = _unblocked(world, user_id)
    message = world.message(chat, message_id)
    shown = message_json(world, message) if message else inaccessible(chat, message_id)
    return _tapped(world, chat, shown, data, chat.user)


def _tapped(world: World, chat: Chat, shown: Json, data: str, by: Json) -> Query:
    query = world.queries.add(by["id"], shown["message_id"])
    content = {
        "id": query.query_id,
        "from": by,
        "message": shown,
        "chat_instance": str(hash((BOT_ID, chat.chat_id))),
        "data": data,
    }
    world.updates.add("callback_query", content)
    return query


def reacts(world: World, user_id: int, message_id: int, emoji: str) -> None:
    """Add a reaction to a message; an empty one removes it. The bot gets an update only if it asked for them."""
    chat = _unblocked(world, user_id)
    message = _seen(world, user_id, message_id)
    old = message.reactions.pop("user", "")
    if emoji:
        message.reactions["user"] = emoji
    content = {
        "chat": chat.as_json(),
        "message_id": message_id,
        "user": chat.user,
        "date": world.time(),
        "old_reaction": [{"type": "emoji", "emoji": each} for each in (old,) if each],
        "new_reaction": [{"type": "emoji", "emoji": each} for each in (emoji,) if each],
    }
    world.changed(message)
    world.updates.add("message_reaction", content)


def blocks(world: World, user_id: int) -> None:
    chat = world.phone(user_id)
    if not chat.blocked:
        chat.blocked = True
        _member_changed(world, chat, chat.user, "member", "kicked")


def unblocks(world: World, user_id: int) -> None:
    chat = world.phone(user_id)
    if chat.blocked:
        chat.blocked = False
        _member_changed(world, chat, chat.user, "kicked", "member")


def _unblocked(world: World, user_id: int) -> Chat:
    chat = world.phone(user_id)
    if chat.blocked:
        raise NotPossible(f"{chat.user['first_name']} has blocked the bot. Unblock it first.")
    return chat


def _member_changed(world: World, chat: Chat, by: Json, old: str, new: str) -> None:
    content = {
        "chat": chat.as_json(),
        "from": by,
        "date": world.time(),
        "old_chat_member": member(world, old),
        "new_chat_member": member(world, new),
    }
    world.hub.changed(chat.chat_id)
    world.updates.add("my_chat_member", content)


# In groups and channels


def adds_to_group(world: World, title: str, kind: str, by: int) -> Chat:
    if kind not in ("group", "supergroup", "channel"):
        raise NotPossible("A group is a group, a supergroup or a channel.")
    user = world.phone(by).user
    chat = world.add_group(title, kind)
    _member_changed(world, chat, user, "left", "administrator" if kind == "channel" else "member")
    if kind != "channel":
        joined = world.add_message(chat, by, {"new_chat_members": [world.bot]})
        world.updates.add("message", message_json(world, joined))
    return chat


def says_in_group(world: World, group_id: int, text: str, by: int) -> Message:
    """Write in a group or channel. In a group the bot gets only commands; in a channel, everything."""
    chat = world.group(group_id)
    message = world.add_message(chat, world.phone(by).chat_id, _text(text))
    if not chat.bot_left:
        if chat.kind == "channel":
            world.updates.add("channel_post", message_json(world, message))
        elif text.lstrip().startswith("/"):
            world.updates.add("message", message_json(world, message))
    return message


def taps_in_group(world: World, group_id: int, message_id: int, data: str, by: int) -> Query:
    """Tap a button in a group, as every member can."""
    chat, person = world.group(group_id), world.phone(by)
    if (message := world.message(chat, message_id)) is None:
        raise NotPossible(f"There is no message {message_id}.")
    return _tapped(world, chat, message_json(world, message), data, person.user)


def removes_from_group(world: World, group_id: int, by: int) -> None:
    chat = world.group(group_id)
    if not chat.bot_left:
        chat.bot_left = True
        _member_changed(world, chat, world.phone(by).user, "member", "kicked")


def upgrades_group(world: World, group_id: int, by: int) -> Chat:
    """Turn a basic group into a supergroup: another chat with the same people. Both say so, to the bot as well."""
    group = world.group(group_id)
    if group.kind != "group" or group.became:
        raise NotPossible("Only a basic group becomes a supergroup.")
    chat = world.add_group(group.title, "supergroup")
    chat.bot_left = group.bot_left
    group.became = chat.chat_id
    for where, said in ((group, {"migrate_to_chat_id": chat.chat_id}), (chat, {"migrate_from_chat_id": group_id})):
        message = world.add_message(where, world.phone(by).chat_id, said)
        if not group.bot_left:
            world.updates.add("message", message_json(world, message))
    return chat


def left(world: World, chat: Chat) -> None:
    """Record that the bot left on its own."""
    chat.bot_left = True
    _member_changed(world, chat, world.bot, "administrator" if chat.kind == "channel" else "member", "left")
