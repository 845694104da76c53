"""Keeps the world in a folder, so that the demo continues where it was. Each file that was sent is stored beside it.

Lost on purpose: open callback queries, faults, calls and the webhook, none of which would survive a real restart.
"""

import asyncio
import json
import os
from collections import OrderedDict
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.demo.updates import Waiting
from bot.demo.world import Chat, Json, Message, StoredFile, World
from bot.private import tighten, write

PAUSE = 1.0  # how long changes are collected before they are written, in seconds
VERSION = 1


class Store:
    """Loads a world from a folder and saves it there soon after each change."""

    def __init__(self, world: World, folder: Path) -> None:
        self._world = world
        self._file = folder / "telegram.json"
        self._files = folder / "files"
        self._kept: set[str] = set()  # the ids of files that are already written
        self._timer: asyncio.TimerHandle | None = None
        self._saving: asyncio.Task[None] | None = None
        self._again = False

    def load(self) -> None:
        """Load what was saved, if anything. Raises ValueError if this version of the demo didn't write it."""
        if not self._file.exists():
            return
        for kept in (self._file, *self._files.glob("*")):
            tighten(kept)
        try:
            saved = json.loads(self._file.read_text())
            if saved["version"] != VERSION:
                raise ValueError(f"{self._file} was written by another version of the demo")
            _restore(self._world, saved)
            for facts in saved["files"]:
                content = (self._files / facts["file_id"]).read_bytes()
                self._world.files[facts["file_id"]] = StoredFile(**facts, content=content)
            self._kept = set(self._world.files)
        except (LookupError, TypeError, OSError) as error:
            raise ValueError(f"{self._file} is damaged: {error}") from error

    def begin(self) -> None:
        self._world.hub.watchers.append(self._soon)

    async def end(self) -> None:
        """Save one last time."""
        self._world.hub.watchers.remove(self._soon)
        if self._timer:
            self._timer.cancel()
        if self._saving:
            await self._saving
        self.save()

    def save(self) -> None:
        self._write(self._snapshot(), self._new_files())

    def _soon(self) -> None:
        if self._saving:
            self._again = True
        elif not self._timer:
            self._timer = asyncio.get_running_loop().call_later(PAUSE, self._start)

    def _start(self) -> None:
        self._timer = None
        self._saving = asyncio.get_running_loop().create_task(self._save_aside())
        self._saving.add_done_callback(self._saved)

    async def _save_aside(self) -> None:
        await asyncio.to_thread(self._write, self._snapshot(), self._new_files())

    def _saved(self, task: asyncio.Task[None]) -> None:
        self._saving = None
        task.result()
        if self._again:
            self._again = False
            self._soon()

    def _snapshot(self) -> Json:
        """Return all facts, copying those that change in place: a thread writes them while the world keeps changing."""
        world = self._world
        return {
            "version": VERSION,
            "token": world.token,
            "counters": [world.last_message_id, world.last_person, world.last_group, world.version],
            "commands": {scope: dict(languages) for scope, languages in world.commands.items()},
            "descriptions": {kind: dict(languages) for kind, languages in world.descriptions.items()},
            "chats": [_chat(chat) for chat in world.chats.values()],
            "files": [
                {"file_id": file.file_id, "path": file.path, "name": file.name, "kind": file.kind}
                for file in world.files.values()
            ],
            "updates": {
                "allowed": sorted(world.updates.allowed),
                "last_id": world.updates.last_id,
                "last_at": world.updates.last_at.isoformat() if world.updates.last_at else None,
                "waiting": [[waiting.update, waiting.since.isoformat()] for waiting in world.updates.waiting.values()],
            },
        }

    def _new_files(self) -> list[StoredFile]:
        new = self._world.files.keys() - self._kept
        self._kept |= new
        return [self._world.files[file_id] for file_id in new]

    def _write(self, snapshot: Json, files: list[StoredFile]) -> None:
        self._files.mkdir(mode=0o700, parents=True, exist_ok=True)
        for file in files:
            write(self._files / file.file_id, file.content)
        beside = self._file.with_suffix(".new")
        write(beside, json.dumps(snapshot).encode("ascii"))
        os.replace(beside, self._file)  # noqa: PTH105 - the replacing is the point


def _chat(chat: Chat) -> Json:
    messages = [{**vars(message), "reactions": dict(message.reactions)} for message in chat.messages.values()]
    return {**vars(chat), "user": dict(chat.user), "messages": messages}


def _restore(world: World, saved: dict[str, Any]) -> None:
    world.token = saved["token"]
    world.last_message_id, world.last_person, world.last_group, world.version = saved["counters"]
    world.commands, world.descriptions = saved["commands"], saved["descriptions"]
    world.chats = {}
    for facts in saved["chats"]:
        messages = {message["message_id"]: Message(**message) for message in facts.pop("messages")}
        world.chats[facts["chat_id"]] = Chat(**facts, messages=messages)
    updates = saved["updates"]
    world.updates.allowed = frozenset(updates["allowed"])
    world.updates.last_id = updates["last_id"]
    world.updates.last_at = datetime.fromisoformat(updates["last_at"]) if updates["last_at"] else None
    world.updates.waiting = OrderedDict(
        (update["update_id"], Waiting(update, datetime.fromisoformat(since))) for update, since in updates["waiting"]
    )
