"""The key file on disk: read, and changed by one command at a time."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from vigil.contract.api_keys import decode_keys, encode_keys
from vigil.contract.errors import InvalidKeyFile
from vigil_local.errors import LocalError
from vigil_local.keys import Keys, Made
from vigil_local.supervisor.secrets import write_private

FILE = "api-keys.json"

Change = TypeVar("Change", Keys, Made)


def read(path: Path) -> Keys:
    """The keys in the file; none when there is no file. Raises `LocalError`."""
    try:
        return decode_keys(path.read_bytes())
    except FileNotFoundError:
        return ()
    except InvalidKeyFile as error:
        raise LocalError(
            f"the key file {path} cannot be used: {error}", "mend it, or delete it and add the keys anew"
        ) from None


def change(path: Path, made: Callable[[Keys], Change]) -> Change:
    """Replace the keys of the file by what `made` makes of them; nobody else changes it meanwhile, and whoever reads it
    reads the old keys or the new ones. Raises `LocalError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        result = made(read(path))
        write_private(path, encode_keys(result.keys if isinstance(result, Made) else result).decode())
        return result
    finally:
        os.close(descriptor)
