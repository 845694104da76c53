"""Sealing of private text, and the key ring that guards every user's data key.

Every user has their own data key, which seals their lines. It is stored wrapped by the master key. Erasing a user
destroys the wrapped data key. Earlier backups still contain it and the lines; see bot.storage.endings.

Formats (the first byte is the format's version, so that we can change to another cipher gradually):
    sealed text       0x01 | nonce, 12 bytes | AES-256-GCM-SIV of (length, 4 bytes | UTF-8 | zeros up to the bucket)
    tied text         0x02 | as above; it opens only together with the facts that it is tied to, like its recipient
    hidden id         "~" | base64 of AES-256-GCM-SIV of (UTF-8 | zeros up to 32 bytes), always with the same nonce
    wrapped data key  0x02 | version of the master key, 4 bytes | nonce, 12 bytes | AES-256-GCM-SIV of the data key
                      0x01 | as above, of a user whose older rows are not all tied yet: see bot.storage.tying
Only a data key wrapped as 0x01 allows reading something that should be tied and isn't. Nobody can make a wrapped data
key without the master key, so nobody can restore that state.
GCM-SIV (RFC 8452) and not GCM: if a nonce ever repeats, for example after a virtual machine was restored, it reveals
only that two texts are equal, and not the key.
"""

import base64
import binascii
import hashlib
import hmac
import os
import re
import struct
from collections.abc import Mapping, Sequence
from itertools import pairwise

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.metrics import CANNOT_OPEN

KEY_BYTES = 32
NONCE_BYTES = 12
SMALLEST_BUCKET = 64
_ROOM = {"words": 512, "rewording": 512, "question": 512, "name": 256}
"""The smallest size of a text by its column, so that nearly all have the same: 300 letters take 304 bytes."""
HIDDEN = "~"
_ID_BYTES = 32
_TAG_BYTES = 16
FORMAT = b"\x01"
TIED = b"\x02"
LAST_VERSION = 2**32 - 1
MAKE_ONE = "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"


class CannotOpen(Exception):
    """Sealed bytes don't open with the given key and place. The message never says what is in them."""

    def __init__(self, said: str = "") -> None:
        super().__init__(said)
        CANNOT_OPEN.inc()


class KeyMismatch(CannotOpen):
    """A data key and this process's master key don't belong together.

    While the bot runs, this isn't the fault of the user who is writing: their message waits until we get the right key.
    """


class WrongKey(Exception):
    """The master key or its file can't be used; the message says why and what to do, and never contains the key."""


class MissingKey(WrongKey):
    """There is no master key, and a new one couldn't open what the old one sealed."""


class OtherKey(WrongKey):
    """There is a master key, but it is not the one that sealed the database."""


class KeyRing:
    """The master keys by version: the highest one wraps, all of them unwrap."""

    __slots__ = ("_digest_keys", "_keys", "_wrap_keys")

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        """Take 32-byte keys by version, starting with 1. Raises WrongKey."""
        if not keys:
            raise WrongKey("The master key is empty.")
        for version, key in keys.items():
            _check(version, key)
        self._keys = dict(sorted(keys.items()))
        # An older one may be guessable: it must still work, so that it can be replaced.
        _refuse_guessable(self.current, self._keys[self.current])
        self._wrap_keys = {v: AESGCMSIV(_derive(key, "ajar/wrap")) for v, key in self._keys.items()}
        self._digest_keys: dict[tuple[int, str], bytes] = {}

    @classmethod
    def new(cls) -> "KeyRing":
        """Make a ring of one new key, version 1."""
        return cls({1: new_data_key()})

    @classmethod
    def parse(cls, text: str) -> "KeyRing":
        """Read `KEY` (version 1) or `1:KEY,2:KEY`, where KEY is 32 bytes in base64. Raises WrongKey."""
        parts = [part.strip() for part in text.split(",")]
        if len(parts) == 1 and ":" not in parts[0]:
            parts[0] = f"1:{parts[0]}"
        keys: dict[int, bytes] = {}
        for place, part in enumerate(parts, start=1):
            number, colon, key = part.partition(":")
            if not colon or not re.fullmatch(r"[1-9][0-9]{0,9}", number.strip()):
                raise WrongKey(f"Part {place} of the master key must be a version and a key, like 2:KEY.")
            version = int(number)
            if version in keys:
                raise WrongKey(f"The master key has version {version} twice; keep the right one.")
            keys[version] = _from_base64(key.strip(), place)
        return cls(keys)

    @property
    def current(self) -> int:
        """The version that wraps from now on."""
        return max(self._keys)

    @property
    def versions(self) -> tuple[int, ...]:
        """All versions we can unwrap, the oldest first."""
        return tuple(self._keys)

    @property
    def text(self) -> str:
        """The ring in the form that `parse` reads. It is the secret itself, so only for a key file."""
        return ",".join(f"{version}:{base64.b64encode(key).decode()}" for version, key in self._keys.items())

    def __repr__(self) -> str:
        return f"KeyRing(versions={list(self._keys)})"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("A key ring is not pickled or copied: it would leave the keys in one more place.")

    def rotated(self) -> "KeyRing":
        """Make a ring with one more key, which becomes the current one."""
        return KeyRing({**self._keys, self.current + 1: new_data_key()})

    def adopt(self, other: "KeyRing") -> None:
        """Take over a ring that has every key of this one and newer ones: the newest wraps from now on.

        Raises WrongKey if a key is missing, which something may still need.
        """
        if not other.contains(self):
            raise WrongKey("The master key that is there now lacks a version that this process works with.")
        self._wrap_keys = other._wrap_keys  # noqa: SLF001  # first the keys that unwrap, then the versions, which make one current
        self._keys = other._keys  # noqa: SLF001

    def without(self, version: int) -> "KeyRing":
        """Make a ring without `version`. Raises WrongKey if it is the current one or unknown."""
        if version == self.current or version not in self._keys:
            raise WrongKey(f"Version {version} of the master key can't be left out: it is the current one or unknown.")
        return KeyRing({v: key for v, key in self._keys.items() if v != version})

    def contains(self, other: "KeyRing") -> bool:
        """Return whether this ring has every key of the other one, under the same version."""
        return other._keys.items() <= self._keys.items()  # noqa: SLF001  # of our own class

    def wrap(self, data_key: bytes, user_id: int, *, tied: bool = True) -> bytes:
        """Wrap a user's data key with the current master key, for that user only.

        `tied` says that everything of the user that should be tied is tied.
        """
        if len(data_key) != KEY_BYTES:
            raise ValueError("a data key has 32 bytes")
        head = (TIED if tied else FORMAT) + struct.pack(">I", self.current)
        nonce = os.urandom(NONCE_BYTES)
        return head + nonce + self._wrap_keys[self.current].encrypt(nonce, data_key, _wrap_context(head, user_id))

    def unwrap(self, blob: bytes, user_id: int) -> bytes:
        """Return the data key inside `blob`. Raises KeyMismatch."""
        version = wrapped_by(blob)
        if version not in self._wrap_keys:
            raise KeyMismatch(
                f"This data key is wrapped by version {version} of the master key, which was not given; "
                f"given: {', '.join(map(str, self.versions))}."
            )
        head, nonce, body = blob[:5], blob[5:17], blob[17:]
        try:
            return self._wrap_keys[version].decrypt(nonce, body, _wrap_context(head, user_id))
        except (InvalidTag, ValueError):
            raise KeyMismatch(
                f"This data key does not open with version {version} of the master key: "
                "the key is another one, or the row was changed."
            ) from None

    def digest(self, purpose: str, text: str, *, version: int | None = None) -> bytes:
        """Hash `text` with a key derived from this ring and `purpose`: 32 bytes (HMAC-SHA-256).

        Nobody can try out guesses on it without the master key. `version` is the current one if not given.
        """
        version = self.current if version is None else version
        if version not in self._keys:
            raise WrongKey(f"Version {version} of the master key was not given.")
        key = self._digest_keys.get((version, purpose))
        if key is None:
            key = self._digest_keys[version, purpose] = _derive(self._keys[version], f"ajar/digest/{purpose}")
        return hmac.digest(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256)

    def fingerprint(self, version: int | None = None) -> bytes:
        """Return a hash that identifies this version's key without revealing it; the current version if not given.

        The hash is keyed with the master key itself, so it isn't a plain hash of it.
        """
        version = self.current if version is None else version
        return self.digest("fingerprint", str(version), version=version)

    def digests(self, purpose: str, text: str) -> tuple[bytes, ...]:
        """Hash `text` with every version, the current one first, to find what was stored before a rotation."""
        return tuple(self.digest(purpose, text, version=version) for version in reversed(self.versions))


def wrapped_by(blob: bytes) -> int:
    """Return the version of the master key that a wrapped data key needs. Raises KeyMismatch."""
    if len(blob) != len(FORMAT) + 4 + NONCE_BYTES + KEY_BYTES + 16 or blob[:1] not in {FORMAT, TIED}:
        raise KeyMismatch("This is not a wrapped data key of a known format.")
    return int.from_bytes(blob[1:5], "big")


def is_all_tied(blob: bytes) -> bool:
    """Return whether this wrapped data key says that everything of its user that should be tied is tied."""
    return blob[:1] == TIED


def new_data_key() -> bytes:
    """Return 32 new random bytes."""
    return os.urandom(KEY_BYTES)


def seal(
    data_key: bytes, text: str, *, table: str, column: str, row: int, user: int, tied_to: Sequence[int] = ()
) -> bytes:
    """Encrypt `text` for exactly this place in the database and these facts; it opens nowhere else."""
    nonce = os.urandom(NONCE_BYTES)
    form, context = _context(table, column, row, user, tied_to)
    return form + nonce + AESGCMSIV(data_key).encrypt(nonce, _pad(text, room_for(column)), context)


def open_sealed(
    data_key: bytes,
    sealed: bytes,
    *,
    table: str,
    column: str,
    row: int,
    user: int,
    tied_to: Sequence[int] = (),
    untied: bool = False,
) -> str:
    """Return the text that `seal` encrypted for this place. Raises CannotOpen.

    With `untied`, a text that was sealed before there were ties opens too.
    """
    if untied and sealed[:1] == FORMAT:
        tied_to = ()
    form, context = _context(table, column, row, user, tied_to)
    if sealed[:1] != form:
        raise CannotOpen(f"{table}.{column} of row {row} is not sealed in a known format of that place.")
    nonce, body = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        padded = AESGCMSIV(data_key).decrypt(nonce, body, context)
    except (InvalidTag, ValueError):
        raise CannotOpen(
            f"{table}.{column} of row {row} does not open: another key, another place, or changed bytes."
        ) from None
    length = int.from_bytes(padded[:4], "big")
    return padded[4 : 4 + length].decode("utf-8", "surrogatepass")


def hide(data_key: bytes, name: str, *, user: int) -> str:
    """Encrypt an id of ours, like a prompt's, so that it is always the same text for the same user.

    The nonce is always the same, which GCM-SIV allows: it reveals only which of a user's ids are equal.
    """
    raw = name.encode()
    padded = raw.ljust(-(-len(raw) // _ID_BYTES) * _ID_BYTES, b"\0")
    return HIDDEN + base64.b64encode(AESGCMSIV(data_key).encrypt(bytes(NONCE_BYTES), padded, _of_id(user))).decode()


def is_hidden(name: str) -> bool:
    """Return whether `hide` made this id; no plain id begins like it."""
    return name.startswith(HIDDEN)


def reveal(data_key: bytes, hidden: str, *, user: int) -> str:
    """Return the id that `hide` encrypted for this user. Raises CannotOpen."""
    try:
        raw = base64.b64decode(hidden.removeprefix(HIDDEN), validate=True)
        return AESGCMSIV(data_key).decrypt(bytes(NONCE_BYTES), raw, _of_id(user)).rstrip(b"\0").decode()
    except (InvalidTag, ValueError):
        raise CannotOpen("A hidden id does not open: another key, another user, or changed bytes.") from None


def is_tied(sealed: bytes) -> bool:
    """Return whether this text is tied to facts. If not, it was sealed before there were ties."""
    return sealed[:1] == TIED


def _from_base64(key: str, place: int) -> bytes:
    standard = key.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        raw = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise WrongKey(f"Part {place} of the master key is not base64. {MAKE_ONE}") from None
    if len(raw) != KEY_BYTES:
        raise WrongKey(f"Part {place} of the master key has {len(raw)} bytes instead of 32. {MAKE_ONE}")
    return raw


def _check(version: int, key: bytes) -> None:
    if not 1 <= version <= LAST_VERSION:
        raise WrongKey(f"The master key's versions go from 1 to {LAST_VERSION}.")
    if len(key) != KEY_BYTES:
        raise WrongKey(f"Version {version} of the master key has {len(key)} bytes instead of {KEY_BYTES}. {MAKE_ONE}")


def _refuse_guessable(version: int, key: bytes) -> None:
    """Refuse a key that isn't random: 1, 2, 3 and so on, the same byte many times, or a repeated pattern."""
    steps = {(after - before) % 256 for before, after in pairwise(key)}
    repeats = any(key[length:] == key[:-length] for length in range(1, KEY_BYTES // 2 + 1))
    # Of 32 random bytes, or of the steps between them, about 30 differ; so few differ less than once in 10^15 keys.
    if min(len(set(key)), len(steps)) < KEY_BYTES // 2 or repeats:
        raise WrongKey(
            f"Version {version} of the master key is not a random key, and can be guessed. {MAKE_ONE} "
            f"If people's lines are sealed with it already, put the new one behind it, as {version}:OLD,"
            f"{version + 1}:NEW, and type: ajar keys rewrap"
        )


def _derive(key: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode()).derive(key)


def _wrap_context(head: bytes, user_id: int) -> bytes:
    return b"ajar/data-key" + head + struct.pack(">q", user_id)


def _of_id(user_id: int) -> bytes:
    return b"ajar/id" + struct.pack(">q", user_id)


def _context(table: str, column: str, row: int, user: int, tied_to: Sequence[int]) -> tuple[bytes, bytes]:
    """Return the format and the encoded place. Names follow their lengths, so no two places give the same bytes."""
    form = TIED if tied_to else FORMAT
    names = [name.encode() for name in (table, column)]
    lengths = (struct.pack(">H", len(name)) + name for name in names)
    facts = struct.pack(f">qq{len(tied_to)}q", row, user, *tied_to)
    return form, b"".join([b"ajar/text", form, *lengths, facts])


def room_for(column: str) -> int:
    """Return the least size in bytes to which texts of this column are padded; 0 if the column has none of its own."""
    return _ROOM.get(column, 0)


def sealed_length(padded: int) -> int:
    """Return the length in bytes of a sealed text that was padded to `padded` bytes."""
    return len(FORMAT) + NONCE_BYTES + padded + _TAG_BYTES


def _pad(text: str, least: int) -> bytes:
    """Pad to `least`, or to 64, 128, 256… bytes, so that the length of a sealed text tells little about the text."""
    raw = text.encode("utf-8", "surrogatepass")  # preserves a lone surrogate from a broken client
    whole = struct.pack(">I", len(raw)) + raw
    bucket = max(SMALLEST_BUCKET, least)
    while bucket < len(whole):
        bucket *= 2
    return whole.ljust(bucket, b"\0")
