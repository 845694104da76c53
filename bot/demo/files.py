"""Pictures and documents, sent by the bot or by a person, as the Bot API shows them."""

import mimetypes
import struct
import zlib
from typing import Any

from bot.demo.errors import bad_request, strict
from bot.demo.signatures import Upload
from bot.demo.world import Json, StoredFile, World

MAX_PHOTO = 10 * 2**20  # bytes
MAX_DOCUMENT = 50 * 2**20
MAX_SIDES = 10_000  # pixels, width and height together
MAX_RATIO = 20
_PNG = b"\x89PNG\r\n\x1a\n"


def photo(world: World, given: str | Upload) -> Json:
    """Store or find the bot's picture. It must be a PNG; the real server accepts more formats."""
    if isinstance(given, str):
        stored = _stored(world, given)
    else:
        if len(given.content) > MAX_PHOTO:
            raise bad_request("too big for a photo")
        stored = world.add_file("photos", given.name, "image/png", given.content)
    width, height = _size(stored.content)
    if width + height > MAX_SIDES or max(width, height) > MAX_RATIO * min(width, height):
        raise bad_request("PHOTO_INVALID_DIMENSIONS")
    return {"photo": [{**file_ids(stored), "width": width, "height": height}]}


def document(world: World, given: str | Upload) -> Json:
    if isinstance(given, str):
        stored = _stored(world, given)
    else:
        if not given.content:
            raise bad_request("file must be non-empty")
        if len(given.content) > MAX_DOCUMENT:
            raise bad_request("file is too big")
        kind = mimetypes.guess_type(given.name)[0] or "application/octet-stream"
        stored = world.add_file("documents", given.name, kind, given.content)
    return {"document": {**file_ids(stored), "file_name": stored.name, "mime_type": stored.kind}}


def _stored(world: World, file_id: str) -> StoredFile:
    if "://" in file_id:
        raise strict("files by URL are not served here")
    if file_id not in world.files:
        raise bad_request("wrong file identifier/HTTP URL specified")
    return world.files[file_id]


def file_ids(stored: StoredFile) -> dict[str, Any]:
    """Return the fields that every kind of file has."""
    unique = stored.file_id.removeprefix("demo-")
    return {"file_id": stored.file_id, "file_unique_id": unique, "file_size": len(stored.content)}


def _size(content: bytes) -> tuple[int, int]:
    """Return width and height in pixels, from a PNG's first chunk."""
    if not content.startswith(_PNG) or len(content) < 24:  # noqa: PLR2004 - where both numbers end
        raise bad_request("IMAGE_PROCESS_FAILED")
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def plain_picture(width: int = 320, height: int = 200, grey: int = 0xB0) -> bytes:
    """Return a plain grey PNG, for the photos that people send."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + bytes([grey]) * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return _PNG + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
