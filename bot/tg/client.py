"""python-telegram-bot's client, over our own connections."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Literal

from telegram import Bot, InputFile
from telegram.error import BadRequest, ChatMigrated, Forbidden, RetryAfter, TelegramError

from bot.delivery.courier import (
    Blocked,
    NotDelivered,
    NotSent,
    RateLimited,
    Refused,
    Strange,
    Unclear,
    Unreachable,
)
from bot.tg.network import HALF_A_CHARACTER, MayHaveArrived, Network, StrangeAnswer, result_in

_JSON: Final = {"Content-Type": "application/json"}
_TIME: Final = re.compile("</?tg-time[^>]*>")
_NO_TIMES: Final = 'unsupported start tag "tg-time"'
_AWAY: Final = ("bot was blocked", "user is deactivated", "bot can't initiate conversation")
"""A 403 for one of these reasons lasts until that person writes to us. Any other one may pass sooner."""
_NOT_FOUND: Final = ("chat not found", "peer_id_invalid")
"""We have seen a 400 for these reasons for people who hadn't blocked the bot, and whom it could write to later."""
_OUTCOMES: Final[Mapping[type[TelegramError], type[NotDelivered]]] = {
    ChatMigrated: Refused,  # now a supergroup: its old id no longer exists
    MayHaveArrived: Unclear,
    StrangeAnswer: Strange,
}
"""All others mean that Telegram did not accept it: not connected, a 502 or similar, a passing 404."""

ALLOWED_UPDATES: Final = (
    "message",
    "edited_message",
    "channel_post",
    "callback_query",
    "my_chat_member",
    "message_reaction",
)


class Client(Bot):
    """python-telegram-bot's client, with a cheaper way to call the methods that nearly every answer needs.

    Its own methods build an object for each button and for the whole message that Telegram returns, and encode each
    part of a call separately, which takes longer than sending. Here callers pass Telegram's JSON directly.
    """

    def __init__(self, token: str, api_url: str, network: Network) -> None:
        super().__init__(
            token,
            base_url=f"{api_url}/bot",
            base_file_url=f"{api_url}/file/bot",
            request=network,
            get_updates_request=network,  # unused, but without it one is created, TLS setup included
        )
        self._network = network
        self._knows_times = True

    async def call(self, method: str, **params: Any) -> Any:
        """Call a method with Telegram's JSON, without parameters that are None. Return what we use of its result.

        A Bot API server of one's own that is older than version 9.5 doesn't know moments in a text; then they are plain
        words. Raises a NotDelivered.
        """
        with_times = self._knows_times
        given = {name: value for name, value in params.items() if value is not None}
        if not with_times and "text" in given:
            given["text"] = _TIME.sub("", given["text"])
        try:
            body = json.dumps(given, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise Refused(HALF_A_CHARACTER) from None
        try:
            status, answer = await self._network.exchange("POST", f"{self.base_url}/{method}", body, _JSON)
            return result_in(method, status, answer)
        except TelegramError as error:
            if not with_times or _NO_TIMES not in error.message.lower():
                raise not_delivered(error) from error
        self._knows_times = False
        return await self.call(method, **params)

    async def upload(self, kind: Literal["photo", "document"], name: str, content: bytes, **message: Any) -> int:
        """Send a file from memory. Return the id of its message. Raises a NotDelivered."""
        file = InputFile(content, filename=name)
        try:
            sent: Any = await self._post("sendPhoto" if kind == "photo" else "sendDocument", {kind: file, **message})
        except TelegramError as error:
            raise not_delivered(error) from error
        return int(sent["message_id"])


def not_delivered(error: TelegramError) -> NotDelivered:
    """Return a failure of the library, or of a call, in our own terms."""
    kind = type(error)
    if isinstance(error, RetryAfter):
        wait = error.retry_after
        return RateLimited(wait if isinstance(wait, timedelta) else timedelta(seconds=wait))
    if isinstance(error, Forbidden):
        return (Blocked if _says(error, _AWAY) else Unreachable)(kind.__name__)
    if isinstance(error, BadRequest):
        return (Unreachable if _says(error, _NOT_FOUND) else Refused)(error.message.lower())
    outcome = next((outcome for failure, outcome in _OUTCOMES.items() if isinstance(error, failure)), NotSent)
    return outcome(kind.__name__)


def _says(error: TelegramError, reasons: Sequence[str]) -> bool:
    said = error.message.lower()
    return any(reason in said for reason in reasons)
