"""Encrypts whole files in the age format (https://age-encryption.org/v1), for the key ring that guards everything.

Each version of the master key has a key pair of its own, derived from it, so a file needs only the version that was
current when it was made. age is anonymous: whoever knows a recipient can write a file to it. These recipients are
nowhere in the open, so a file that opens was made by somebody who had the master key.
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
"""How pyrage words that a file is for somebody else."""


def is_encrypted(file: Path) -> bool:
    """Return whether the file begins as an age file does. Raises OSError."""
    with file.open("rb") as opened:
        return opened.read(len(_BEGINS)) == _BEGINS


def encrypt(source: Path, target: Path, keys: KeyRing) -> None:
    """Write `source`, encrypted for the current version of the master key, over `target`. Raises OSError."""
    public = _key_pair(keys, keys.current).public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    pyrage.encrypt_file(str(source), str(target), [pyrage.ssh.Recipient.from_str(public.decode())])


def decrypt(source: Path, target: Path, keys: KeyRing) -> None:
    """Write what is in the encrypted `source` over `target`.

    What was changed or cut off raises CannotOpen; `target` then holds the part before. A file for another master key,
    or for a version that is missing, raises OtherKey. Raises OSError.
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
        if error.errno is None:  # it is not the disk: a chunk is missing, or isn't as it was written
            raise CannotOpen(f"{source} is damaged.") from None
        raise


def _key_pair(keys: KeyRing, version: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(keys.digest("backup", "age", version=version))
