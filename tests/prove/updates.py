"""Updates as the Bot API describes them, drawn from a seed: most of their kinds and fields, and some of it wrong.

https://core.telegram.org/bots/api#update. What is drawn is small, and printed where something fails.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any, Final

Json = Any
Draw = Callable[[random.Random], Json]

CANARY: Final = "kanarienvogel"
"""It is part of every text, and must not get into a log."""
_SPICE: Final = (
    "", " ", "\n", "\u202e", "\u0000", "\ud7ff", "🤯" * 40, "<b>", "&lt;", "' OR 1=1 --", "x" * 300, "x" * 301,
    "x" * 4096,
    "٣", "10:30", "tomorrow at eight", "Berlin", "ABC-DEF", "{}", "%s", "/", "/start", "/start@ajar_bot", "/erase",
    "/export", "/journal", "/pair", "/unpair", "/settings", "/privacy", "/hide", "/START", "/start " + "A" * 22,
    "/start AAAA", "/line now", "/nothing",
)  # fmt: skip
_IDS: Final[tuple[Json, ...]] = (0, 1, -1, 2**31, 2**53, 2**63 - 1, 2**63, 2**70, 1.5, "7", None, True, [], {})
_JUNK: Final[tuple[Json, ...]] = (None, True, False, 0, -1, 1e308, "", "x", [], [[]], {}, {"": None}, {"id": {}}, [{}])


class Updates:
    """Draws updates."""

    def __init__(self, seed: int, people: Sequence[int], buttons: Callable[[], Sequence[str]]) -> None:
        """`people` write most of them, and `buttons` are what they can see."""
        self._chance = random.Random(seed)
        self._people = people
        self._buttons = buttons
        self._last = 1000
        self.whole: set[int] = set()
        """The ids of those that are well-formed."""

    def one(self) -> Json:
        self._last += 1
        kind = self._chance.choice(_KINDS)
        update = {"update_id": self._last, kind: self._of_kind(kind)}
        if self._maybe(0.5):
            self.whole.add(self._last)
            return update
        return self._spoiled(update)

    def _of_kind(self, kind: str) -> Json:
        if kind in _MESSAGES:
            return self._message()
        if kind == "callback_query":
            message = self._message() if self._maybe(0.8) else None
            data = self._chance.choice(self._buttons() or ("v1:x",)) if self._maybe(0.7) else f"v1:{self._text()}"
            query = {
                "id": str(self._chance.getrandbits(40)),
                "from": self._person(),
                "chat_instance": "1",
                "data": data,
            }
            return query | ({"message": message} if message else {"inline_message_id": "1"})
        if kind in {"my_chat_member", "chat_member"}:
            states = ("member", "kicked", "left", "creator", "unheard_of")
            bot = {"user": {"id": 1, "is_bot": True, "first_name": "Ajar"}, "until_date": 0, "is_anonymous": False}
            old, new = (bot | {"status": self._chance.choice(states)} for _ in "ab")
            return {"chat": self._chat(), "from": self._person(), "date": self._date(), "old_chat_member": old,
                    "new_chat_member": new}  # fmt: skip
        if kind == "poll":
            return self._poll()
        if kind == "message_reaction":
            return self._reaction()
        return {"id": "1", "from": self._person(), "chat": self._chat(), "date": self._date(), "query": self._text(),
                "offset": "", "user": self._person(), "user_chat_id": 1, **_PAYMENT}  # fmt: skip

    def _message(self, deep: int = 2) -> Json:
        message = {"message_id": self._chance.randrange(1, 2**31), "date": self._date(), "chat": self._chat()}
        message["from"] = self._person(message["chat"]["id"])
        for name, draw in _PARTS.items():
            if self._maybe(0.6 if name == "text" else 0.04):
                message[name] = draw(self)
        if deep and self._maybe(0.15):
            message["reply_to_message"] = self._message(deep - 1)
        if str(message.get("text", "")).startswith("/"):
            length = len(str(message["text"]).split(maxsplit=1)[0])
            message["entities"] = [{"type": "bot_command", "offset": 0, "length": length}]
        return message

    def _text(self) -> str:
        text = self._chance.choice(_SPICE)
        return text if text.startswith("/") else f"{text}{CANARY}"[: self._chance.choice((4096, 4096, 20))]

    def _person(self, user_id: int | None = None) -> Json:
        if user_id is None or user_id < 0:
            user_id = self._chance.choice(self._people)
        language = self._chance.choice(("en", "de", "xx", "", "zh-hans", None))
        return {"id": user_id, "is_bot": self._maybe(0.02), "first_name": self._text(), "language_code": language}

    def _chat(self) -> Json:
        if self._maybe(0.85):
            return {"id": self._chance.choice(self._people), "type": "private", "first_name": "A"}
        kind = self._chance.choice(("group", "supergroup", "channel", "private", "unheard_of"))
        return {"id": -self._chance.randrange(1, 2**40), "type": kind, "title": self._text()}

    def _date(self) -> int:
        return self._chance.choice((0, 1, 1_800_000_000, 2**31 - 1, self._chance.randrange(2**31)))

    def _maybe(self, how_often: float) -> bool:
        return self._chance.random() < how_often

    def _file(self) -> Json:
        return {"file_id": "a", "file_unique_id": "b", "file_size": 1, "width": 1, "height": 1, "duration": 1}

    def _place(self) -> Json:
        latitude, longitude = (self._chance.choice((0, 52.5, -91, 181, 1e308, -0.0)) for _ in "ab")
        return {"latitude": latitude, "longitude": longitude, "horizontal_accuracy": 1.5}

    def _poll(self) -> Json:
        return {"id": "1", "question": self._text(), "options": [], "total_voter_count": 0, "is_closed": False,
                "is_anonymous": True, "type": "regular", "allows_multiple_answers": False,
                "allows_revoting": False}  # fmt: skip

    def _reaction(self) -> Json:
        old, new = ([self._emoji() for _ in range(self._chance.randrange(3))] for _ in "ab")
        who = {"user": self._person()} if self._maybe(0.9) else {"actor_chat": self._chat()}
        message_id = self._chance.randrange(1, 2**31)
        return {"chat": self._chat(), "message_id": message_id, **who, "date": self._date(), "old_reaction": old,
                "new_reaction": new}  # fmt: skip

    def _emoji(self) -> Json:
        kinds = ({"type": "emoji", "emoji": "❤"}, {"type": "custom_emoji", "custom_emoji_id": "1"}, {"type": "paid"})
        return dict(self._chance.choice(kinds))

    def _spoiled(self, update: Json) -> Json:
        """Replace, remove or double something somewhere in it."""
        for _ in range(self._chance.randint(1, 3)):
            self._spoil(update)
        return update

    def _spoil(self, part: Json) -> None:
        while isinstance(part, dict | list) and part:
            name = self._chance.choice(list(part) if isinstance(part, dict) else range(len(part)))
            if self._maybe(0.35) or not isinstance(part[name], dict | list):
                if isinstance(part, dict) and self._maybe(0.3):
                    del part[name]
                else:
                    part[name] = self._chance.choice(_IDS if "id" in str(name) else _JUNK)
                return
            part = part[name]


_PAYMENT: Final = {"currency": "XTR", "total_amount": 1, "invoice_payload": ""}
_MESSAGES: Final = {"message", "edited_message", "channel_post", "business_message"}
_KINDS: Final = (
    *("message",) * 8, *("callback_query",) * 6, *("edited_message",) * 2, "my_chat_member", "chat_member",
    "channel_post", "business_message", "inline_query", "message_reaction", "poll", "pre_checkout_query",
    "chat_join_request", "unheard_of",
)  # fmt: skip
_PARTS: Final[dict[str, Callable[[Updates], Json]]] = {
    "text": lambda draw: draw._text(),
    "caption": lambda draw: draw._text(),
    "entities": lambda draw: [{"type": "bold", "offset": draw._date(), "length": 1}],
    "edit_date": lambda draw: draw._date(),
    "photo": lambda draw: [draw._file()],
    "voice": lambda draw: draw._file(),
    "video": lambda draw: draw._file(),
    "document": lambda draw: draw._file() | {"file_name": draw._text(), "mime_type": "text/plain"},
    "sticker": lambda draw: draw._file() | {"type": "regular", "is_animated": False, "is_video": False},
    "location": lambda draw: draw._place(),
    "venue": lambda draw: {"location": draw._place(), "title": draw._text(), "address": ""},
    "contact": lambda draw: {"phone_number": "1", "first_name": draw._text()},
    "dice": lambda _: {"emoji": "🎲", "value": 6},
    "poll": lambda draw: draw._poll(),
    "forward_origin": lambda draw: {"type": "user", "date": draw._date(), "sender_user": draw._person()},
    "via_bot": lambda draw: draw._person(),
    "sender_chat": lambda draw: draw._chat(),
    "new_chat_members": lambda draw: [draw._person()],
    "left_chat_member": lambda draw: draw._person(),
    "users_shared": lambda draw: {"request_id": 1, "users": [{"user_id": draw._person()["id"]}]},
    "pinned_message": lambda draw: draw._message(0),
    "migrate_to_chat_id": lambda _: -(2**40),
    "successful_payment": lambda _: _PAYMENT | {"telegram_payment_charge_id": "", "provider_payment_charge_id": ""},
    "web_app_data": lambda draw: {"data": draw._text(), "button_text": ""},
    "message_thread_id": lambda _: 1,
    "quote": lambda draw: {"text": draw._text(), "position": 0},
}
