"""Encrypts whole files in the age format (https://age-encryption.org/v1), to keys made from the master key.

Each version of the master key has a key pair of its own, derived from it, so a file needs only the version that was
current when it was made. age is anonymous: whoever knows a recipient can write a file to it. Our recipients are
never published, so a file that opens was made by somebody who had the master key.

pyrage is imported only where a file is encrypted or decrypted: it takes a MiB, and a running bot does neither.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from bot.crypto import CannotOpen, KeyRing, OtherKey

_BEGINS: Final = b"age-encryption.org/v1\n"
_NO_KEY: Final = "No matching keys found"
"""pyrage's message about a file that is encrypted for somebody else."""


def is_encrypted(file: Path) -> bool:
    """Return whether the file begins as an age file does. Raises OSError."""
    with file.open("rb") as opened:
        return opened.read(len(_BEGINS)) == _BEGINS


def encrypt(source: Path, target: Path, keys: KeyRing) -> None:
    """Write `source`, encrypted for the current version of the master key, over `target`. Raises OSError."""
    import pyrage

    public = _key_pair(keys, keys.current).public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    with _opened(source, target) as (reader, writer):
        pyrage.encrypt_io(reader, writer, [pyrage.ssh.Recipient.from_str(public.decode())])


def decrypt(source: Path, target: Path, keys: KeyRing) -> None:
    """Decrypt `source` over `target`.

    Raises CannotOpen if `source` was changed or cut off; `target` then holds the part before that. Raises OtherKey if
    the file needs another master key or a missing version of it. Raises OSError.
    """
    import pyrage

    private = map(partial(_key_pair, keys), reversed(keys.versions))
    form = (Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    identities = [pyrage.ssh.Identity.from_buffer(key.private_bytes(*form)) for key in private]
    try:
        with _opened(source, target) as (reader, writer):
            pyrage.decrypt_io(reader, writer, identities)
    except pyrage.DecryptError as error:
        if str(error) == _NO_KEY:
            raise OtherKey(
                f"{source} was made with another master key, or with a version of it that was not given (given: "
                f"{', '.join(map(str, keys.versions))}). Put back the key that was used then. Nothing was changed."
            ) from None
        raise CannotOpen(f"{source} is damaged.") from None
    except OSError as error:
        if error.errno is None:  # not the disk's fault: a chunk is missing or was changed
            raise CannotOpen(f"{source} is damaged.") from None
        raise


class _File(FileIO):
    """A file that remembers a failing disk: pyrage makes another error of it, or none if the last write failed."""

    failure: OSError | None = None

    def read(self, size: int | None = -1, /) -> bytes:
        with self._remembering():
            return super().read(size)

    def write(self, data: Any, /) -> int:
        with self._remembering():
            return super().write(data)

    @contextmanager
    def _remembering(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.failure = error
            raise


@contextmanager
def _opened(source: Path, target: Path) -> Iterator[tuple[_File, _File]]:
    """Open two files for pyrage. Raises the disk's OSError, whatever pyrage has made of it."""
    with _File(source) as reader, _File(target, "w") as writer:
        try:
            yield reader, writer
        finally:
            if failure := reader.failure or writer.failure:
                raise failure


def _key_pair(keys: KeyRing, version: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(keys.digest("backup", "age", version=version))
