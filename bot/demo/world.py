"""The state of the stand-in: its bot, its chats and their messages. Nothing here knows HTTP.

Everything is looked up by key, nothing is searched for. Times are Unix seconds from the clock that it is given.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.demo.calls import Calls
from bot.demo.errors import NotPossible, Refused, bad_request, forbidden
from bot.demo.faults import Faults
from bot.demo.hub import Hub
from bot.demo.queries import Queries
from bot.demo.updates import Updates
from bot.demo.webhook import FIRST_RETRY, Webhook

Json = dict[str, Any]

BOT_ID = 7_000_000_001
FIRST_GROUP = -1_001_000_000_001
DEFAULT_PEOPLE = ((1001, "Alice"), (1002, "Bob"))


@dataclass
class Message:
    """One message. `content` has the fields of the Bot API: text and entities, or photo, caption and so on."""

    message_id: int
    chat_id: int
    date: int
    sender: int  # the bot's id or a person's
    content: Json
    reply_to: int | None = None
    markup: Json = field(default_factory=dict)
    edit_date: int | None = None
    protected: bool = False
    reactions: dict[str, str] = field(default_factory=dict)  # by "bot" or "user": at most one each, as for everybody
    version: int = 0  # rises with each change to any message, so that a change can be awaited
    deleted: bool = False
    hidden: bool = False  # deleted by the person for themselves; the bot doesn't notice

    @property
    def by_bot(self) -> bool:
        return self.sender == BOT_ID


@dataclass
class Chat:
    """A private chat with the person in `user`, or a group or channel."""

    chat_id: int
    kind: str = "private"
    title: str = ""
    user: Json = field(default_factory=dict)
    started: bool = False
    blocked: bool = False
    bot_left: bool = False
    became: int = 0  # the supergroup that this group has become
    messages: dict[int, Message] = field(default_factory=dict)

    @property
    def private(self) -> bool:
        return self.kind == "private"

    def as_json(self) -> Json:
        """Return the chat as the Bot API shows it inside a message."""
        if not self.private:
            return {"id": self.chat_id, "title": self.title, "type": self.kind}
        names = {key: value for key, value in self.user.items() if key in ("first_name", "last_name", "username")}
        return {"id": self.chat_id, **names, "type": "private"}


@dataclass
class StoredFile:
    file_id: str
    path: str
    name: str
    kind: str  # its media type
    content: bytes


class World:
    """One bot, its people, groups and messages."""

    def __init__(
        self, now: Callable[[], datetime], *, token: str | None = None, webhook_retry: float = FIRST_RETRY
    ) -> None:
        self.now = now
        self.token = token or f"{BOT_ID}:{secrets.token_urlsafe(26)}"
        self.bot: Json = {
            "id": BOT_ID,
            "is_bot": True,
            "first_name": "Ajar",
            "username": "ajar_demo_bot",
        }
        self.chats: dict[int, Chat] = {}
        self.files: dict[str, StoredFile] = {}
        self.commands: dict[str, dict[str, list[Json]]] = {}  # by scope, then by language
        self.descriptions: dict[str, dict[str, str]] = {"description": {}, "short_description": {}}
        self.hub = Hub()
        self.updates = Updates(now, self.hub.touched)
        self.webhook = Webhook(self.updates, first_retry=webhook_retry)
        self.queries = Queries(now)
        self.faults = Faults()
        self.calls = Calls(now)
        self.version = 0
        self.last_message_id = 0
        self.last_person = 0
        self.last_group = FIRST_GROUP
        for user_id, name in DEFAULT_PEOPLE:
            self.person(user_id, first_name=name, language_code="en")

    def time(self) -> int:
        return int(self.now().timestamp())

    # Chats

    def person(self, user_id: int | None = None, **user: Any) -> Chat:
        """Add a person, or change what is known about them."""
        user_id = user_id or self.last_person + 1
        self.last_person = max(self.last_person, user_id)
        chat = self.chats.get(user_id)
        if chat is None:
            chat = self.chats[user_id] = Chat(user_id, user={"id": user_id, "is_bot": False})
        chat.user |= user
        self.hub.changed(user_id)
        return chat

    def phone(self, user_id: int) -> Chat:
        chat = self.chats.get(user_id)
        if chat is None or not chat.private:
            raise NotPossible(f"There is no phone {user_id} here.")
        return chat

    def group(self, chat_id: int) -> Chat:
        chat = self.chats.get(chat_id)
        if chat is None or chat.private:
            raise NotPossible(f"There is no group {chat_id} here.")
        return chat

    def chat_for_bot(self, chat_id: int) -> Chat:
        """Return the chat. Refuses if the bot can't know about it."""
        chat = self.chats.get(chat_id)
        if chat is None:
            raise bad_request("chat not found")
        return chat

    def chat_to_write(self, chat_id: int) -> Chat:
        """Return the chat. Refuses if the bot can't write to it."""
        chat = self.chat_for_bot(chat_id)
        if chat.became:
            text = "Bad Request: group chat was upgraded to a supergroup chat"
            raise Refused(400, text, migrate_to_chat_id=chat.became)
        if chat.blocked:
            raise forbidden("bot was blocked by the user")
        if chat.bot_left:
            raise forbidden(f"bot was kicked from the {chat.kind} chat")
        if chat.private and not chat.started:
            raise forbidden("bot can't initiate conversation with a user")
        return chat

    def add_group(self, title: str, kind: str) -> Chat:
        self.last_group -= 1
        chat = self.chats[self.last_group] = Chat(self.last_group, kind, title, started=True)
        return chat

    # Messages

    def add_message(self, chat: Chat, sender: int, content: Json, **facts: Any) -> Message:
        self.last_message_id += 1
        message = Message(self.last_message_id, chat.chat_id, self.time(), sender, content, **facts)
        chat.messages[message.message_id] = message
        self.changed(message)
        return message

    def changed(self, message: Message) -> None:
        self.version += 1
        message.version = self.version
        self.hub.changed(message.chat_id)

    def message(self, chat: Chat, message_id: int) -> Message | None:
        """Return the message, unless it was deleted for everybody."""
        message = chat.messages.get(message_id)
        return None if message is None or message.deleted else message

    def delete(self, message: Message) -> None:
        """Delete a message. Its place is kept, so that a phone can show that something is gone, but not its words."""
        message.deleted = True
        message.content, message.markup, message.reactions = {}, {}, {}
        self.changed(message)

    def user(self, user_id: int) -> Json:
        return self.bot if user_id == BOT_ID else self.chats[user_id].user

    # Files

    def add_file(self, folder: str, name: str, kind: str, content: bytes) -> StoredFile:
        file_id = f"demo-{secrets.token_urlsafe(12)}"
        stored = StoredFile(file_id, f"{folder}/{file_id}", name, kind, content)
        self.files[file_id] = stored
        return stored
