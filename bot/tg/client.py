"""python-telegram-bot's client, over our own connection."""

from typing import Any, Final

from telegram.ext import ExtBot

from bot.tg.network import Network

Client = ExtBot[Any]

ALLOWED_UPDATES: Final = (
    "message",
    "edited_message",
    "channel_post",
    "callback_query",
    "my_chat_member",
    "message_reaction",
)


def make_client(token: str, api_url: str, network: Network) -> Client:
    return ExtBot(
        token,
        base_url=f"{api_url}/bot",
        base_file_url=f"{api_url}/file/bot",
        request=network,
        get_updates_request=network,  # unused, but without it one is created, TLS setup included
    )
