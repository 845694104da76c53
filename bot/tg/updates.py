"""Updates: the parts of Telegram's JSON that we read, under the names of the Bot API.

python-telegram-bot builds objects for everything that an update could contain, which takes a tenth of an answer's
processor time, and it accepts values of any type.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

PRIVATE: Final = "private"
_MOST: Final = 1 << 63
"""Ids are smaller than this, so that the database can store them."""
_SERVICE: Final = frozenset({
    "channel_chat_created", "chat_background_set", "chat_owner_changed", "chat_owner_left", "chat_shared",
    "checklist_tasks_added", "checklist_tasks_done", "connected_website", "delete_chat_photo",
    "direct_message_price_changed", "forum_topic_closed", "forum_topic_created", "forum_topic_edited",
    "forum_topic_reopened", "general_forum_topic_hidden", "general_forum_topic_unhidden", "gift", "gift_upgrade_sent",
    "giveaway_completed", "giveaway_created", "group_chat_created", "left_chat_member", "managed_bot_created",
    "message_auto_delete_timer_changed", "migrate_from_chat_id", "migrate_to_chat_id", "new_chat_members",
    "new_chat_photo", "new_chat_title", "paid_message_price_changed", "pinned_message", "poll_option_added",
    "poll_option_deleted", "proximity_alert_triggered", "refunded_payment", "suggested_post_approval_failed",
    "suggested_post_approved", "suggested_post_declined", "suggested_post_paid", "suggested_post_refunded",
    "supergroup_chat_created", "unique_gift", "users_shared", "video_chat_ended", "video_chat_participants_invited",
    "video_chat_scheduled", "video_chat_started", "web_app_data", "write_access_allowed",
})  # fmt: skip
"""The parts that mark a service message, which nobody wrote, such as one that something was pinned."""

_Json = Mapping[str, Any]


class Person(NamedTuple):
    """Somebody on Telegram."""

    id: int
    first_name: str
    language_code: str | None


class Chat(NamedTuple):
    id: int
    type: str

    @property
    def is_private(self) -> bool:
        return self.type == PRIVATE


class Entity(NamedTuple):
    """A special part of a text, such as a command or a link."""

    type: str
    offset: int
    length: int
    url: str | None


class Location(NamedTuple):
    latitude: float
    longitude: float


class Message(NamedTuple):
    message_id: int
    date: datetime
    """1970 if the message is too old for Telegram to say."""
    from_user: Person | None
    chat: Chat
    text: str | None
    caption: str | None
    entities: tuple[Entity, ...]
    """The entities of the text, or of the caption."""
    location: Location | None
    reply_to: int | None
    """The id of the message that it replies to."""
    media_group_id: str | None
    is_forwarded: bool
    is_service: bool
    """Whether it only reports that something happened."""


class CallbackQuery(NamedTuple):
    """A tap."""

    id: str
    data: str | None
    message: Message | None
    """The message with the button, if it is in a chat."""


class Reaction(NamedTuple):
    message_id: int
    emoji: str | None
    """The first emoji; None if the reaction was removed."""


class Update(NamedTuple):
    """An update. If we know its kind, exactly one of the optional parts after user and chat is set."""

    update_id: int
    effective_user: Person | None = None
    effective_chat: Chat | None = None
    message: Message | None = None
    edited_message: Message | None = None
    channel_post: Message | None = None
    callback_query: CallbackQuery | None = None
    my_chat_member: str | None = None
    """The bot's new status in the chat."""
    message_reaction: Reaction | None = None

    @property
    def effective_message(self) -> Message | None:
        """The message that was sent, edited or tapped."""
        tapped = self.callback_query.message if self.callback_query else None
        return self.message or self.edited_message or self.channel_post or tapped


def read(raw: Any) -> Update:
    """Read an update. Raises some exception if it is malformed."""
    update_id = _id(raw, "update_id")
    message, edited, posted = [_message(raw.get(part)) for part in ("message", "edited_message", "channel_post")]
    if sent := message or edited or posted:
        return Update(update_id, sent.from_user, sent.chat, message, edited, posted)
    if (tap := raw.get("callback_query")) is not None:
        tapped = _message(tap.get("message"))
        query = CallbackQuery(_text(tap, "id") or "", _text(tap, "data"), tapped)
        return Update(update_id, _person(tap["from"]), tapped.chat if tapped else None, callback_query=query)
    if (change := raw.get("my_chat_member")) is not None:
        status = _text(change["new_chat_member"], "status")
        return Update(update_id, _person(change["from"]), _chat(change["chat"]), my_chat_member=status)
    if (reacted := raw.get("message_reaction")) is not None:
        emoji = next((_text(one, "emoji") for one in reacted["new_reaction"] if one.get("type") == "emoji"), None)
        reaction = Reaction(_id(reacted, "message_id"), emoji)
        return Update(update_id, _person(reacted.get("user")), _chat(reacted["chat"]), message_reaction=reaction)
    return Update(update_id)


def _person(raw: _Json | None) -> Person | None:
    if raw is None:
        return None
    return Person(_id(raw, "id"), _text(raw, "first_name") or "", _text(raw, "language_code"))


def _chat(raw: _Json) -> Chat:
    return Chat(_whole(raw["id"]), _text(raw, "type") or "")


def _message(raw: _Json | None) -> Message | None:
    if raw is None:
        return None
    text, replied, place = _text(raw, "text"), raw.get("reply_to_message"), raw.get("location")
    entities = raw.get("caption_entities" if text is None else "entities")
    return Message(
        _id(raw, "message_id"),
        datetime.fromtimestamp(_id(raw, "date"), UTC),
        _person(raw.get("from")),
        _chat(raw["chat"]),
        text,
        _text(raw, "caption"),
        tuple(map(_entity, entities)) if entities else (),
        Location(float(place["latitude"]), float(place["longitude"])) if place else None,
        _id(replied, "message_id") if replied else None,
        _text(raw, "media_group_id"),
        raw.get("forward_origin") is not None,
        not _SERVICE.isdisjoint(raw),
    )


def _entity(raw: _Json) -> Entity:
    return Entity(_text(raw, "type") or "", _id(raw, "offset"), _id(raw, "length"), _text(raw, "url"))


def _id(raw: _Json, name: str) -> int:
    """Return a non-negative number. Raises ValueError."""
    if (number := _whole(raw[name])) < 0:
        raise ValueError(name)
    return number


def _whole(value: Any) -> int:
    if type(value) is not int or abs(value) >= _MOST:
        raise ValueError("no whole number, or too large")
    return value


def _text(raw: _Json, name: str) -> str | None:
    value = raw.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(name)
    return value
