"""The gallery in a file that tells nothing without the operator's key: AES-256-GCM, with a new nonce at each writing.

The file has a first line that says what it is, then the nonce, then the sealed JSON. Whoever changes a byte of it is
found out at the next reading. Names and consent notes are sealed with the faces.
"""

import base64
import json
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from faces.gallery import Gallery, Person, Refused

FORM = b"vigil faces 1\n"
KEY_BYTES = 32
NONCE_BYTES = 12
MOST_BYTES = 8 * 1024 * 1024
_ONLY_OWNER = 0o600
_OTHERS = 0o077


def new_key(path: Path) -> None:
    """Write a random key that only its owner may read. Raises `Refused` when there is a file already."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _ONLY_OWNER), "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
    except FileExistsError:
        raise Refused(f"{path} exists: a new key would make every face sealed with it unreadable") from None
    except OSError as error:
        raise Refused(f"the key cannot be written to {path}: {error.strerror}") from None


def read_key(path: Path) -> bytes:
    """The key. Raises `Refused` for a file that others may read, and for what is no key."""
    try:
        mode, key = path.stat().st_mode, base64.b64decode(path.read_bytes().strip(), validate=True)
    except OSError as error:
        raise Refused(f"the key {path} cannot be read ({error.strerror}): make one with `key`") from None
    except ValueError:
        raise Refused(f"{path} is no key: it is not base64") from None
    if mode & _OTHERS:
        raise Refused(f"others may read the key {path}: chmod 600 {path}")
    if len(key) != KEY_BYTES:
        raise Refused(f"{path} is no key: it holds {KEY_BYTES} bytes in base64, as `key` writes them")
    return key


def seal(gallery: Gallery, key: bytes) -> bytes:
    """The gallery as bytes that only the key opens."""
    people = [
        {
            "name": person.name,
            "consent": person.consent,
            "enrolled_s": person.enrolled_s,
            "until_s": person.until_s,
            "faces": person.faces,
        }
        for person in gallery.people
    ]
    nonce = secrets.token_bytes(NONCE_BYTES)
    return FORM + nonce + AESGCM(key).encrypt(nonce, json.dumps(people).encode(), FORM)


def unseal(sealed: bytes, key: bytes) -> Gallery:
    """Read what `seal` wrote. Raises `Refused` for another key, and for bytes that were changed."""
    if not sealed.startswith(FORM):
        raise Refused("the file of faces is none, or of a newer release")
    nonce, body = sealed[len(FORM) :][:NONCE_BYTES], sealed[len(FORM) + NONCE_BYTES :]
    try:
        people = json.loads(AESGCM(key).decrypt(nonce, body, FORM))
    except (InvalidTag, ValueError):
        raise Refused("the file of faces does not open with this key, or was changed") from None
    return Gallery(
        tuple(
            Person(
                person["name"],
                person["consent"],
                person["enrolled_s"],
                person["until_s"],
                tuple(tuple(face) for face in person["faces"]),
            )
            for person in people
        )
    )


def load(path: Path, key: bytes) -> Gallery:
    """The gallery of a file; an empty one when there is no file. Raises `Refused`."""
    try:
        with path.open("rb") as file:
            sealed = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return Gallery()
    except OSError as error:
        raise Refused(f"the file of faces {path} cannot be read: {error.strerror}") from None
    if len(sealed) > MOST_BYTES:
        raise Refused(f"the file of faces {path} is larger than {MOST_BYTES:,} bytes")
    return unseal(sealed, key)


def save(gallery: Gallery, path: Path, key: bytes) -> None:
    """Write the gallery, whole or not at all, so that only its owner may read it. Raises `Refused`."""
    part = path.with_name(path.name + ".part")
    try:
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _ONLY_OWNER), "wb") as file:
            file.write(seal(gallery, key))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise Refused(f"the file of faces {path} cannot be written: {error.strerror}") from None
