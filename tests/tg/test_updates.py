"""We read an update as python-telegram-bot does."""

import inspect
from datetime import UTC, datetime
from typing import Any, Final

import pytest
import telegram
from telegram.ext import filters

from bot.tg import updates
from bot.tg.updates import read

ALICE: Final = {"id": 11, "is_bot": False, "first_name": "Alice", "language_code": "de"}
CHAT: Final = {"id": 11, "type": "private", "first_name": "Alice"}
GROUP: Final = {"id": -100, "type": "supergroup", "title": "Friends"}
BOT: Final = {"id": 1, "is_bot": True, "first_name": "Ajar", "username": "ajar_bot"}
LINE: Final = {"message_id": 5, "date": 1763800000, "chat": CHAT, "from": ALICE, "text": "The dog waited."}
SHOWN: Final = {"message_id": 4, "date": 1763800000, "chat": CHAT, "from": BOT, "text": "What waited for you?"}
LINK: Final = {"type": "text_link", "offset": 0, "length": 3, "url": "https://t.me/ajar_bot?start=x"}
ORIGIN: Final = {"type": "user", "date": 1763800000, "sender_user": ALICE}
MEMBER: Final = {"user": BOT, "status": "member"}
KICKED: Final = {"user": BOT, "status": "kicked", "until_date": 0}

UPDATES: Final[dict[str, dict[str, Any]]] = {
    "text": {"message": LINE},
    "command": {"message": {**LINE, "text": "/help", "entities": [{"type": "bot_command", "offset": 0, "length": 5}]}},
    "reply": {"message": {**LINE, "reply_to_message": SHOWN}},
    "forwarded": {"message": {**LINE, "forward_origin": ORIGIN, "media_group_id": "9"}},
    "picture": {"message": {**LINE, "text": None, "photo": [], "caption": "Us", "caption_entities": [LINK]}},
    "location": {"message": {**LINE, "text": None, "location": {"latitude": 52.5, "longitude": 13.4}}},
    "pinned": {"message": {**LINE, "text": None, "pinned_message": SHOWN}},
    "edited": {"edited_message": {**LINE, "edit_date": 1763800009}},
    "tap": {"callback_query": {"id": "7", "from": ALICE, "chat_instance": "1", "data": "today", "message": SHOWN}},
    "tap on an old one": {
        "callback_query": {
            "id": "7", "from": ALICE, "chat_instance": "1", "data": "x",
            "message": {"message_id": 4, "date": 0, "chat": CHAT},
        }
    },
    "blocked": {
        "my_chat_member": {
            "chat": CHAT, "from": ALICE, "date": 1763800000, "old_chat_member": MEMBER, "new_chat_member": KICKED,
        }
    },
    "reaction": {
        "message_reaction": {
            "chat": CHAT, "message_id": 4, "user": ALICE, "date": 1763800000, "old_reaction": [],
            "new_reaction": [{"type": "custom_emoji", "custom_emoji_id": "1"}, {"type": "emoji", "emoji": "❤"}],
        }
    },
    "group": {"message": {**LINE, "chat": GROUP}},
    "channel": {"channel_post": {"message_id": 5, "date": 1763800000, "chat": {**GROUP, "type": "channel"}}},
    "something new": {"of_the_future": {"a": [1]}},
}  # fmt: skip


@pytest.mark.parametrize("name", UPDATES)
def test_updates_match_the_library(name: str) -> None:
    raw = {"update_id": 3, **UPDATES[name]}
    ours, theirs = read(raw), telegram.Update.de_json(raw, None)
    assert ours.update_id == theirs.update_id
    assert _person(ours.effective_user) == _person(theirs.effective_user)
    for place in ("message", "edited_message", "channel_post"):
        assert _message(getattr(ours, place)) == _message(getattr(theirs, place))
    chat = theirs.effective_chat
    assert (ours.effective_chat and tuple(ours.effective_chat)) == (chat and (chat.id, chat.type))
    if tap := theirs.callback_query:
        assert ours.callback_query
        assert (ours.callback_query.id, ours.callback_query.data) == (tap.id, tap.data)
        assert _message(ours.callback_query.message) == _message(tap.message)
    changed = theirs.my_chat_member
    assert ours.my_chat_member == (changed.new_chat_member.status if changed else None)


def test_first_emoji_of_a_reaction_counts() -> None:
    reaction = read({"update_id": 3, **UPDATES["reaction"]}).message_reaction
    assert reaction == (4, "❤")


def test_every_service_message_is_known() -> None:
    """Nobody wrote it, so nothing is to be said to it."""
    parts = list(inspect.signature(telegram.Message.__init__).parameters)[4:-1]
    service = {
        part for part in parts if filters.StatusUpdate.ALL.filter(telegram.Update(1, _message_with({part: ["x"]})))
    }
    assert service == updates._SERVICE


def _message_with(part: dict[str, Any]) -> telegram.Message:
    return telegram.Message(1, datetime(2026, 11, 22, tzinfo=UTC), telegram.Chat(11, "private"), **part)


def _person(person: Any) -> Any:
    return person and (person.id, person.first_name, person.language_code)


def _message(message: Any) -> Any:
    """Return what we read of a message, of both kinds."""
    if message is None:
        return None
    replied = getattr(message, "reply_to_message", None)
    entities = [*getattr(message, "entities", ()), *getattr(message, "caption_entities", ())]
    place = getattr(message, "location", None)
    return (
        message.message_id,
        message.date,
        _person(getattr(message, "from_user", None)),
        (message.chat.id, message.chat.type),
        getattr(message, "text", None),
        getattr(message, "caption", None),
        [(each.type, each.offset, each.length, each.url) for each in entities],
        place and (place.latitude, place.longitude),
        getattr(message, "reply_to", None) or (replied and replied.message_id),
        getattr(message, "media_group_id", None),
        bool(getattr(message, "is_forwarded", None) or getattr(message, "forward_origin", None)),
        getattr(message, "is_service", None) or getattr(message, "pinned_message", None) is not None,
    )
