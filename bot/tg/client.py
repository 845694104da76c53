"""python-telegram-bot's client, over our own connections."""

from typing import Any, Final, Literal

from telegram import Bot, InputFile

from bot.tg.network import Network

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

    async def call(self, method: str, **params: Any) -> Any:
        """Call a method with Telegram's JSON. Return the parts of its result that we use."""
        return await self._network.call(f"{self.base_url}/{method}", params)

    async def upload(self, kind: Literal["photo", "document"], name: str, content: bytes, **message: Any) -> int:
        """Send a file from memory. Return the id of its message."""
        file = InputFile(content, filename=name)
        sent: Any = await self._post("sendPhoto" if kind == "photo" else "sendDocument", {kind: file, **message})
        return int(sent["message_id"])
