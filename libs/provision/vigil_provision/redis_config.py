"""The configuration of a Redis or Valkey server, and the file of its users. Pure: values in, text out."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from vigil.contract import store_permissions
from vigil.contract.store_permissions import RedisUser

MAX_MEMORY = "2gb"  # some hundred sessions with the pictures of their chunks
# Whoever gives no name is refused: this user is off. Its rights are those by which Redis reads its append-only file:
# without them it leaves out every transaction and script, and so loses them when it starts.
_DEFAULT_USER = "user default reset ~* &* +@all off"
# For the health check of a container: without a password, and it may ask PING alone. The answer is PONG once Redis has
# read its append-only file; whoever has no name hears NOAUTH before that, too.
HEALTH = "health"
_HEALTH_USER = f"user {HEALTH} reset on nopass +ping"


@dataclass(frozen=True, slots=True)
class RedisServer:
    """Where the server listens, where it stores, and the file of its users. In the folder `certificates` are tls.crt,
    tls.key and ca.crt, and the port speaks TLS alone; empty: it speaks none."""

    host: str
    port: int
    directory: str
    users_file: str
    certificates: str = ""


def render(server: RedisServer) -> str:
    """The text of the configuration file: every write is on disk before it is acknowledged; nothing is ever evicted,
    and when the memory is used up sessions are refused rather than the machine brought down."""
    return _lines(
        f"bind {server.host}",
        *_ports(server),
        f'aclfile "{server.users_file}"',
        f'dir "{server.directory}"',
        "daemonize no",
        "appendonly yes",
        "appendfsync always",
        'save ""',
        f"maxmemory {MAX_MEMORY}",
        "maxmemory-policy noeviction",
    )


def _ports(server: RedisServer) -> tuple[str, ...]:
    if not server.certificates:
        return (f"port {server.port}",)
    files = {"tls-cert-file": "tls.crt", "tls-key-file": "tls.key", "tls-ca-cert-file": "ca.crt"}
    named = (f'{option} "{server.certificates}/{name}"' for option, name in files.items())
    return ("port 0", f"tls-port {server.port}", *named, "tls-auth-clients no")


def users(password_of: Callable[[str], str]) -> str:
    """The text of the file of users: their passwords stand there as SHA-256 only."""
    rules = (
        f"user {user.name} {rights(user)} #{_digest(password_of(user.name))}" for user in store_permissions.users()
    )
    return _lines(_DEFAULT_USER, _HEALTH_USER, *rules)


def rights(user: RedisUser) -> str:
    """What a user may do, in the words of Redis: only these keys, only these commands, no channel."""
    if not user.commands:
        return "reset on ~* &* +@all"
    keys = (f"~{pattern}" for pattern in user.keys)
    commands = (f"+{command}" for command in user.commands)
    return " ".join(("reset", "on", *keys, "resetchannels", "-@all", *commands))


def _digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def _lines(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)
