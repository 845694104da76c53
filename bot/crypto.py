"""Sealing of private text, the key ring that guards every user's data key, and the master key's file.

A user has a data key of their own, which seals their lines. The data key is kept wrapped by the master key. Erasing a
user destroys the wrapped data key, and with it every copy of their words, in backups too.

Formats (the first byte is the format's version, so that another cipher can follow without a flag day):
    sealed text       0x01 | nonce, 12 bytes | AES-256-GCM-SIV of (length, 4 bytes | UTF-8 | zeros up to the bucket)
    wrapped data key  0x01 | version of the master key, 4 bytes | nonce, 12 bytes | AES-256-GCM-SIV of the data key
GCM-SIV (RFC 8452) rather than GCM: should a nonce ever repeat, after a restored virtual machine for one, it tells only
that two texts are equal and does not give the key away.
"""

import base64
import binascii
import hashlib
import hmac
import os
import re
import secrets
import stat
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12
SMALLEST_BUCKET = 64
FORMAT = b"\x01"
LAST_VERSION = 2**32 - 1
KEY_FILE = "master.key"
MAKE_ONE = "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
# Mounted for one service or container alone; their mode bits say nothing about who can look inside.
PRIVATE_MOUNTS = ("/run/secrets",)


class CannotOpen(Exception):
    """Sealed bytes don't open with what was given. Never says what is in them."""


class KeyMismatch(CannotOpen):
    """A data key and the master key that this process was given don't belong together.

    While the bot runs it is no fault of whoever wrote just then: what they wrote waits until the right key is given.
    """


class WrongKey(Exception):
    """The master key or its file can't be used; the sentence says why and what to do, and never holds the key."""


class MissingKey(WrongKey):
    """There is no master key, and making a new one would lose what the old one sealed."""


class OtherKey(WrongKey):
    """There is a master key, but it is not the one that sealed the database."""


class KeyRing:
    """The master keys by version: the highest one wraps, all of them unwrap."""

    __slots__ = ("_digest_keys", "_keys", "_wrap_keys")

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        """Take the keys of 32 bytes by version, from 1 on. Raises WrongKey."""
        if not keys:
            raise WrongKey("The master key is empty.")
        for version, key in keys.items():
            _check(version, key)
        self._keys = dict(sorted(keys.items()))
        self._wrap_keys = {v: AESGCMSIV(_derive(key, "ajar/wrap")) for v, key in self._keys.items()}
        self._digest_keys: dict[tuple[int, str], bytes] = {}

    @classmethod
    def new(cls) -> "KeyRing":
        """Make a ring of one new key, version 1."""
        return cls({1: new_data_key()})

    @classmethod
    def parse(cls, text: str) -> "KeyRing":
        """Read `KEY` (version 1) or `1:KEY,2:KEY`, a KEY being 32 bytes in base64. Raises WrongKey."""
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
        """All versions that can be unwrapped, the oldest first."""
        return tuple(self._keys)

    @property
    def text(self) -> str:
        """The ring in the form that `parse` reads. It is the secret itself: only for a key file."""
        return ",".join(f"{version}:{base64.b64encode(key).decode()}" for version, key in self._keys.items())

    def __repr__(self) -> str:
        return f"KeyRing(versions={list(self._keys)})"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("A key ring is not pickled or copied: it would leave the keys in one more place.")

    def rotated(self) -> "KeyRing":
        """Make a ring with one more key, which becomes the current one."""
        return KeyRing({**self._keys, self.current + 1: new_data_key()})

    def without(self, version: int) -> "KeyRing":
        """Make a ring that forgot `version`. Raises WrongKey for the current or an unknown one."""
        if version == self.current or version not in self._keys:
            raise WrongKey(f"Version {version} of the master key can't be left out: it is the current one or unknown.")
        return KeyRing({v: key for v, key in self._keys.items() if v != version})

    def wrap(self, data_key: bytes, user_id: int) -> bytes:
        """Wrap a user's data key with the current master key, for that user only."""
        if len(data_key) != KEY_BYTES:
            raise ValueError("a data key has 32 bytes")
        head = FORMAT + struct.pack(">I", self.current)
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
        """Hash `text` with a key that only this ring and `purpose` give: 32 bytes (HMAC-SHA-256).

        Nobody without the master key can try out guesses on it. `version` is the current one if not given.
        """
        version = self.current if version is None else version
        if version not in self._keys:
            raise WrongKey(f"Version {version} of the master key was not given.")
        key = self._digest_keys.get((version, purpose))
        if key is None:
            key = self._digest_keys[version, purpose] = _derive(self._keys[version], f"ajar/digest/{purpose}")
        return hmac.digest(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256)

    def fingerprint(self, version: int | None = None) -> bytes:
        """What tells this key from every other one and gives nothing of it away; for the current version if not given.

        It is keyed by the master key itself, so that it is no plain hash of it.
        """
        version = self.current if version is None else version
        return self.digest("fingerprint", str(version), version=version)

    def digests(self, purpose: str, text: str) -> tuple[bytes, ...]:
        """Hash `text` with every version, the current one first: to find what was stored before a rotation."""
        return tuple(self.digest(purpose, text, version=version) for version in reversed(self.versions))


def wrapped_by(blob: bytes) -> int:
    """Return the version of the master key that a wrapped data key needs. Raises KeyMismatch."""
    if len(blob) != len(FORMAT) + 4 + NONCE_BYTES + KEY_BYTES + 16 or blob[:1] != FORMAT:
        raise KeyMismatch("This is not a wrapped data key of a known format.")
    return int.from_bytes(blob[1:5], "big")


def new_data_key() -> bytes:
    """Return 32 new random bytes."""
    return os.urandom(KEY_BYTES)


def seal(data_key: bytes, text: str, *, table: str, column: str, row: int, user: int) -> bytes:
    """Encrypt `text` for exactly this place of the database; it opens nowhere else."""
    nonce = os.urandom(NONCE_BYTES)
    context = _context(table, column, row, user)
    return FORMAT + nonce + AESGCMSIV(data_key).encrypt(nonce, _pad(text), context)


def open_sealed(data_key: bytes, sealed: bytes, *, table: str, column: str, row: int, user: int) -> str:
    """Return the text that `seal` put there. Raises CannotOpen."""
    if sealed[:1] != FORMAT:
        raise CannotOpen(f"{table}.{column} of row {row} is not sealed in a known format.")
    nonce, body = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        padded = AESGCMSIV(data_key).decrypt(nonce, body, _context(table, column, row, user))
    except (InvalidTag, ValueError):
        raise CannotOpen(
            f"{table}.{column} of row {row} does not open: another key, another place, or changed bytes."
        ) from None
    length = int.from_bytes(padded[:4], "big")
    return padded[4 : 4 + length].decode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class MasterKey:
    """The key ring, the file it is in (None when it came from AJAR_MASTER_KEY), and whether it was made just now."""

    ring: KeyRing
    file: Path | None
    made: bool = False


def default_key_file() -> Path:
    """Return where the master key is looked for when none is given: in the user's configuration folder."""
    from platformdirs import user_config_path

    return user_config_path("ajar") / KEY_FILE


def master_key(
    *,
    text: str | None = None,
    file: Path | None = None,
    data_dir: Path,
    sqlite_file: Path | None = None,
    may_make: bool,
    holds_lines: bool = True,
    default_file: Path | None = None,
    beside_data: bool = False,
) -> MasterKey:
    """Find the master key, or make its file at the very first start.

    `text` is AJAR_MASTER_KEY or what AJAR_MASTER_KEY_FILE holds; `file` is the path of the latter, to be looked at
    here. Without them it is `default_file`, or else `default_key_file()`.
    `may_make` is true only for an SQLite database without a user: a new key can't open what an old one sealed, and
    machines that share a database must not make one each. `holds_lines` says whether the database has a user.
    `beside_data` is for the demo alone, whose data are nobody's.
    Raises MissingKey if there is none and none may be made, WrongKey for a key or a file that can't be used.
    """
    folders = () if beside_data else (data_dir, *([sqlite_file.parent] if sqlite_file else []))
    if file is not None:
        _refuse_beside_data(file, folders)
        found = _read(file)
        if found is None:
            raise MissingKey(f"The master key is missing: AJAR_MASTER_KEY_FILE names {file}, which is not there.")
        return MasterKey(found if text is None else KeyRing.parse(text), file)
    if text is not None:
        return MasterKey(KeyRing.parse(text), None)
    path = default_file or default_key_file()
    if not path.is_absolute():
        raise MissingKey(
            "There is no home folder to keep the master key in; set AJAR_MASTER_KEY_FILE or AJAR_MASTER_KEY."
        )
    _refuse_beside_data(path, folders)
    if (ring := _read(path)) is not None:
        return MasterKey(ring, path)
    if not holds_lines and not may_make:
        raise MissingKey(
            f"There is no master key yet; it was looked for at {path}. Make one, once, with: ajar keys new {path} "
            "and give every machine that uses this database the same one."
        )
    if not may_make:
        raise MissingKey(
            f"The master key is missing: it was looked for at {path}. The database already holds people's lines, and "
            "without the key that sealed them nobody can open them. Put the file back from your backup, or set "
            "AJAR_MASTER_KEY or AJAR_MASTER_KEY_FILE. A new key is not made while there are lines."
        )
    made = make_key_file(path, KeyRing.new())
    if (ring := _read(path)) is None:
        raise MissingKey(f"The master key {path} is a link to a file that is missing. Put the file back.")
    return MasterKey(ring, path, made=made)


def make_key_file(path: Path, ring: KeyRing) -> bool:
    """Write the ring to a new file that only its owner can read; return False if the file is already there.

    The file appears whole or not at all: it is written under another name and then linked, so that of two starters
    one makes it and the other one reads it, and a crash leaves no half a key.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_private(draft, ring.text + "\n")
        try:
            os.link(draft, path)
        finally:
            draft.unlink()
        _sync_folder(path.parent)
    except FileExistsError:
        return False
    except OSError as error:
        raise WrongKey(f"The master key can't be written to {path}: {error.strerror or 'unknown reason'}.") from None
    return True


def replace_key_file(path: Path, ring: KeyRing) -> None:
    """Put `ring` in the place of what the key file holds, at once and for good. Raises OSError."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    _write_private(draft, ring.text + "\n")
    draft.replace(path)
    _sync_folder(path.parent)


def _write_private(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        os.fchmod(handle, 0o600)  # a strict umask can take the owner's own rights
        file.write(text)
        file.flush()
        os.fsync(handle)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path) -> KeyRing | None:
    """Read a key file; None if there is none."""
    try:
        _refuse_readable(path)
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise WrongKey(f"The master key at {path} can't be read: {error.strerror or 'unknown reason'}.") from None
    try:
        return KeyRing.parse(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise WrongKey(f"The file {path} holds no master key: it is not text.") from None
    except WrongKey as error:
        raise WrongKey(f"The file {path} holds no master key. {error}") from None


def _refuse_readable(path: Path) -> None:
    """Refuse a key file that others on this machine can read.

    A file of our own must be ours alone, as OpenSSH wants it. One that belongs to somebody else (an administrator, a
    container's secrets) is lent to us by its group or an access list, which show in the group's bits.
    """
    about = path.stat()
    if not stat.S_ISREG(about.st_mode) or _is_private_mount(path):
        return
    if about.st_uid == os.geteuid():
        if about.st_mode & 0o077:
            raise WrongKey(f"The master key can be read by others on this machine. Type: chmod 600 {path}")
    elif about.st_mode & 0o007:
        raise WrongKey(f"The master key can be read by everybody on this machine. Let its owner type: chmod o= {path}")


def _is_private_mount(path: Path) -> bool:
    """Tell whether systemd (LoadCredential) or a container's runtime put the file there for this service alone."""
    mounts = [*PRIVATE_MOUNTS, *filter(None, [os.environ.get("CREDENTIALS_DIRECTORY")])]
    return any(path.absolute().is_relative_to(mount) for mount in mounts)


def _refuse_beside_data(path: Path, folders: tuple[Path, ...]) -> None:
    for folder in folders:
        if path.resolve().is_relative_to(folder.resolve()):
            raise WrongKey(
                f"The master key {path} lies in {folder}, beside the data that it locks: one copy takes both. "
                "Move the key to another folder and set AJAR_MASTER_KEY_FILE to its new path."
            )


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
    # 32 random bytes have fewer than 8 different values less than once in 10^45 times.
    if len(key) != KEY_BYTES or len(set(key)) < 8:  # noqa: PLR2004
        raise WrongKey(f"Version {version} of the master key is not a random key. {MAKE_ONE}")


def _derive(key: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode()).derive(key)


def _wrap_context(head: bytes, user_id: int) -> bytes:
    return b"ajar/data-key" + head + struct.pack(">q", user_id)


def _context(table: str, column: str, row: int, user: int) -> bytes:
    """Encode the place so that no two places give the same bytes: lengths stand before names."""
    names = [name.encode() for name in (table, column)]
    return b"".join(
        [b"ajar/text", FORMAT, *(struct.pack(">H", len(n)) + n for n in names), struct.pack(">qq", row, user)]
    )


def _pad(text: str) -> bytes:
    """Fill up to 64, 128, 256… bytes, so that the length of a sealed text tells little about the text."""
    raw = text.encode("utf-8", "surrogatepass")  # a lone surrogate from a broken client is kept as it came
    whole = struct.pack(">I", len(raw)) + raw
    bucket = SMALLEST_BUCKET
    while bucket < len(whole):
        bucket *= 2
    return whole.ljust(bucket, b"\0")
