"""The configuration that `vigil up` gives its Redis server."""

from pathlib import Path


def render(port: int, directory: Path, password: str) -> str:
    """Loopback only, with a password; every write is on disk before it is acknowledged; nothing is ever evicted."""
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
            "maxmemory-policy noeviction",
            "",
        )
    )
