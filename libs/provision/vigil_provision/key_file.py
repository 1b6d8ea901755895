"""The key file on disk: read, and changed by one command at a time."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from vigil.contract.api_keys import decode_keys, encode_keys
from vigil.contract.errors import InvalidKeyFile
from vigil_provision.errors import ProvisionError
from vigil_provision.keys import Keys, Made
from vigil_provision.private_file import write_private

FILE = "api-keys.json"

Change = TypeVar("Change", Keys, Made)


def read(path: Path) -> Keys:
    """The keys in the file; none when there is no file. Raises `ProvisionError`."""
    try:
        return decode_keys(path.read_bytes())
    except FileNotFoundError:
        return ()
    except InvalidKeyFile as error:
        raise ProvisionError(
            f"the key file {path} cannot be used: {error}", "mend it, or delete it and add the keys anew"
        ) from None


def change(path: Path, made: Callable[[Keys], Change], follow: Callable[[Keys], None] = lambda _: None) -> Change:
    """Replace the keys of the file by what `made` makes of them, then let `follow` see them; nobody else changes them
    meanwhile, and whoever reads the file reads the old keys or the new ones. Raises `ProvisionError`."""
    with locked(path):
        result = made(read(path))
        keys = result.keys if isinstance(result, Made) else result
        write_private(path, encode_keys(keys).decode())
        follow(keys)
        return result


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Nobody else changes the keys in this file, or the modules beside it, while the block runs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
