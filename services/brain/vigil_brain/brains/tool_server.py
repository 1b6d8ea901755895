"""An MCP server as the brains file names it."""

from pathlib import Path
from typing import Annotated

import msgspec

from vigil_brain.brains.port import BrainError


class ToolServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An MCP server in the brains file. Its tools are called `<name>_<tool>`; `allow` names those that may be used, all
    when it is empty. `key_file` holds a bearer token. A tool that the server calls read-only needs no approval, unless
    `trust_hints` is false: then every call needs one."""

    name: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9-]{0,23}$")]
    url: str
    key_file: str = ""
    allow: list[str] = []
    trust_hints: bool = True

    @property
    def key(self) -> str:
        """The token, read anew each time. Raises `BrainError`."""
        if not self.key_file:
            return ""
        try:
            return Path(self.key_file).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise BrainError(f"the key file of the tool server {self.name} cannot be read") from None
