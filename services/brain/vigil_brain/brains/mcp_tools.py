"""Tools of MCP servers for a chat model.

The official SDK is the extra `vigil-brain[mcp]`; `vigil_brain.brains.mcp_session` is the one module that imports it.
"""

import ssl
from collections.abc import Sequence

from vigil_brain.brains.port import BrainError
from vigil_brain.brains.tool_server import ToolServer
from vigil_brain.brains.toolbox import OpenTools


def mcp_tools(servers: Sequence[ToolServer], trusted: ssl.SSLContext | None = None) -> OpenTools:
    """Opens a session with each server for one task. `trusted`: see `BrainSpec`.

    Raises `BrainError` when the SDK is not installed.
    """
    try:
        from vigil_brain.brains.mcp_session import open_tools
    except ImportError:
        raise BrainError("tools of MCP servers need the extra vigil-brain[mcp], which is not installed") from None
    return lambda: open_tools(servers, trusted)
