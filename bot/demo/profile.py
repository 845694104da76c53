"""The Bot API methods for the bot itself and its chats: commands, descriptions, files, leaving."""

import re
from typing import Any

from bot.demo.errors import bad_request, strict
from bot.demo.files import file_ids
from bot.demo.methods import Method, Params
from bot.demo.people import left
from bot.demo.render import bot_view, chat_info, menu_scope
from bot.demo.world import Json, World

MAX_COMMANDS = 100
MAX_DESCRIPTION = 512
MAX_SHORT_DESCRIPTION = 120
MAX_COMMAND_DESCRIPTION = 256
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_LANGUAGE = re.compile(r"[a-z]{2}")
_SCOPES = ("default", "all_private_chats", "all_group_chats", "all_chat_administrators")
_OF_A_CHAT = "chat"


def get_me(world: World, _params: Params) -> Json:
    off = ("can_read_all_group_messages", "supports_inline_queries", "can_connect_to_business", "has_main_web_app")
    return {**world.bot, "can_join_groups": True, **dict.fromkeys(off, False)}


def set_commands(world: World, params: Params) -> bool:
    scope, language = _scope(world, params), _language(params)
    if len(params["commands"]) > MAX_COMMANDS:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    commands = []
    for each in params["commands"]:
        command, description = each["command"].removeprefix("/"), each["description"].strip()
        if not _COMMAND.fullmatch(command):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(description) <= MAX_COMMAND_DESCRIPTION:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        commands.append({"command": command, "description": description})
    world.commands.setdefault(scope, {})[language] = commands
    return _show_bot(world, params)


def get_commands(world: World, params: Params) -> list[Json]:
    return world.commands.get(_scope(world, params), {}).get(_language(params), [])


def delete_commands(world: World, params: Params) -> bool:
    world.commands.get(_scope(world, params), {}).pop(_language(params), None)
    return _show_bot(world, params)


def _scope(world: World, params: Params) -> str:
    scope = params.get("scope", {"type": "default"})
    if scope["type"] == _OF_A_CHAT and "chat_id" in scope and len(scope) == 2:  # noqa: PLR2004  # these two keys only
        chat = world.chat_for_bot(scope["chat_id"])
        if chat.private and not chat.started:
            raise bad_request("chat not found")
        return menu_scope(chat.chat_id)
    if scope["type"] not in _SCOPES or len(scope) > 1:
        raise strict(f"scope {scope['type']} is not served here")
    return str(scope["type"])


def _language(params: Params) -> str:
    language = str(params.get("language_code", ""))
    if language and not _LANGUAGE.fullmatch(language):
        raise bad_request("invalid language code specified")
    return language


def _describe(kind: str, limit: int) -> tuple[Method, Method]:
    def setter(world: World, params: Params) -> bool:
        text, language = params.get(kind, "").strip(), _language(params)
        if len(text) > limit:
            raise bad_request(f"{kind.replace('_', ' ')} is too long")
        texts = world.descriptions[kind]
        texts.pop(language, None)
        texts |= {language: text} if text else {}
        return _show_bot(world, params)

    def getter(world: World, params: Params) -> Json:
        texts = world.descriptions[kind]
        return {kind: texts.get(_language(params), texts.get("", ""))}

    return setter, getter


def _show_bot(world: World, params: Params) -> bool:
    """Show the bot's new profile on the page, and a phone's new menu there. Return what such a call returns."""
    if chat_id := params.get("scope", {}).get("chat_id"):
        world.hub.changed(chat_id)
    world.hub.tell("bot", bot_view(world))
    world.hub.touched()
    return True


def get_file(world: World, params: Params) -> Json:
    found = world.files.get(params["file_id"])
    if found is None:
        raise bad_request("invalid file_id")
    return {**file_ids(found), "file_path": found.path}


def get_chat(world: World, params: Params) -> Json:
    chat = world.chat_for_bot(params["chat_id"])
    if chat.private and not chat.started:
        raise bad_request("chat not found")
    return chat_info(chat)


def leave_chat(world: World, params: Params) -> bool:
    chat = world.chat_for_bot(params["chat_id"])
    if chat.private:
        raise bad_request("chat member status can't be changed in private chats")
    world.chat_to_write(chat.chat_id)
    left(world, chat)
    return True


_set_description, _get_description = _describe("description", MAX_DESCRIPTION)
_set_short, _get_short = _describe("short_description", MAX_SHORT_DESCRIPTION)

METHODS: dict[str, Any] = {
    "getMe": get_me,
    "setMyCommands": set_commands,
    "getMyCommands": get_commands,
    "deleteMyCommands": delete_commands,
    "setMyDescription": _set_description,
    "getMyDescription": _get_description,
    "setMyShortDescription": _set_short,
    "getMyShortDescription": _get_short,
    "getFile": get_file,
    "getChat": get_chat,
    "leaveChat": leave_chat,
}
