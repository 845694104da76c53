"""Encrypts whole files in the age format (https://age-encryption.org/v1), to keys made from the master key.

Each version of the master key has a key pair of its own, derived from it, so a file needs only the version that was
current when it was made. age is anonymous: whoever knows a recipient can write a file to it. Our recipients are
never published, so a file that opens was made by somebody who had the master key.
"""

from functools import partial
from pathlib import Path
from typing import Final

import pyrage
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
    public = _key_pair(keys, keys.current).public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    pyrage.encrypt_file(str(source), str(target), [pyrage.ssh.Recipient.from_str(public.decode())])


def decrypt(source: Path, target: Path, keys: KeyRing) -> None:
    """Decrypt `source` over `target`.

    Raises CannotOpen if `source` was changed or cut off; `target` then holds the part before that. Raises OtherKey if
    the file needs another master key or a missing version of it. Raises OSError.
    """
    private = map(partial(_key_pair, keys), reversed(keys.versions))
    form = (Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    identities = [pyrage.ssh.Identity.from_buffer(key.private_bytes(*form)) for key in private]
    try:
        pyrage.decrypt_file(str(source), str(target), identities)
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


def _key_pair(keys: KeyRing, version: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(keys.digest("backup", "age", version=version))
