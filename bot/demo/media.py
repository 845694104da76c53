"""Messages other than texts. The bot reads none of them except locations, so most have only the required fields."""

from collections.abc import Callable
from typing import Any

from bot.demo.errors import NotPossible
from bot.demo.files import document, file_ids, photo, plain_picture
from bot.demo.signatures import Upload
from bot.demo.world import Json, World


def content_of(world: World, kind: str, details: dict[str, Any]) -> Json:
    """Return the fields of a message of this kind."""
    if kind == "location":
        try:
            return {"location": _place(float(details["latitude"]), float(details["longitude"]))}
        except (KeyError, TypeError, ValueError):
            raise NotPossible("A location has a latitude and a longitude, in degrees.") from None
    if kind not in KINDS:
        raise NotPossible(f'Nobody can send a "{kind}"; there are {", ".join([*KINDS, "location"])}.')
    content = KINDS[kind](world)
    if details.get("caption"):
        content["caption"] = str(details["caption"])
    return content


def _place(latitude: float, longitude: float) -> Json:
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):  # noqa: PLR2004 - degrees
        raise NotPossible("That place is not on this planet.")
    return {"latitude": latitude, "longitude": longitude}


def _file(world: World, kind: str, **fields: Any) -> Json:
    stored = world.add_file(kind, kind, "application/octet-stream", b"nothing that anybody would listen to")
    return {**file_ids(stored), **fields}


def _video(world: World) -> Json:
    return _file(world, "video", width=640, height=480, duration=3)


def _poll(_world: World) -> Json:
    options = [{"text": text, "voter_count": 0, "persistent_id": text} for text in ("Yes", "No")]
    flags = dict.fromkeys(("is_closed", "allows_multiple_answers", "allows_revoting", "members_only"), False)
    poll = {"id": "1", "question": "Tea?", "options": options, "total_voter_count": 0, "is_anonymous": True}
    return {"poll": {**poll, "type": "regular", **flags}}


def _sticker(world: World) -> Json:
    looks = {"width": 512, "height": 512, "is_animated": False, "is_video": False, "emoji": "🙂", "type": "regular"}
    return {"sticker": _file(world, "sticker", **looks)}


KINDS: dict[str, Callable[[World], Json]] = {
    "photo": lambda world: photo(world, Upload("photo.png", plain_picture())),
    "document": lambda world: document(world, Upload("notes.txt", b"Some notes.\n")),
    "voice": lambda world: {"voice": _file(world, "voice", duration=3)},
    "video": lambda world: {"video": _video(world)},
    "animation": lambda world: {"animation": _video(world)},
    "sticker": _sticker,
    "poll": _poll,
    "contact": lambda _: {"contact": {"phone_number": "+10000000000", "first_name": "Somebody"}},
    "dice": lambda _: {"dice": {"emoji": "🎲", "value": 4}},
    "venue": lambda _: {"venue": {"location": _place(52.52, 13.4), "title": "A bench", "address": "By the river"}},
}
