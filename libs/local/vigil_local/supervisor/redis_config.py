"""The configuration that `vigil up` gives its Redis server."""

from pathlib import Path

MAX_MEMORY = "2gb"  # some hundred sessions with the pictures of their chunks


def render(port: int, directory: Path, password: str) -> str:
    """Loopback only, with a password; every write is on disk before it is acknowledged; nothing is ever evicted, and
    when the memory is used up sessions are refused rather than the machine brought down."""
    return "\n".join(
        (
            "bind 127.0.0.1",
            f"port {port}",
            "protected-mode yes",
            f"requirepass {password}",
            f'dir "{directory}"',
            "daemonize no",
            "appendonly yes",
            "appendfsync always",
            'save ""',
            f"maxmemory {MAX_MEMORY}",
            "maxmemory-policy noeviction",
            "",
        )
    )
