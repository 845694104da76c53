"""python-telegram-bot's client, over our own connections."""

import json
import re
from typing import Any, Final, Literal

from telegram import Bot, InputFile
from telegram.error import BadRequest

from bot.tg.network import HALF_A_CHARACTER, Network, result_in

_JSON: Final = {"Content-Type": "application/json"}
_TIME: Final = re.compile("</?tg-time[^>]*>")
_NO_TIMES: Final = 'unsupported start tag "tg-time"'

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
        words. Raises a TelegramError, as the library does.
        """
        given = {name: value for name, value in params.items() if value is not None}
        if self._knows_times:
            try:
                return await self._call(method, given)
            except BadRequest as refused:
                if _NO_TIMES not in refused.message.lower():
                    raise
                self._knows_times = False
        if "text" in given:
            given["text"] = _TIME.sub("", given["text"])
        return await self._call(method, given)

    async def _call(self, method: str, given: dict[str, Any]) -> Any:
        try:
            body = json.dumps(given, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise BadRequest(HALF_A_CHARACTER) from None
        status, answer = await self._network.exchange("POST", f"{self.base_url}/{method}", body, _JSON)
        return result_in(method, status, answer)

    async def upload(self, kind: Literal["photo", "document"], name: str, content: bytes, **message: Any) -> int:
        """Send a file from memory. Return the id of its message."""
        file = InputFile(content, filename=name)
        sent: Any = await self._post("sendPhoto" if kind == "photo" else "sendDocument", {kind: file, **message})
        return int(sent["message_id"])
