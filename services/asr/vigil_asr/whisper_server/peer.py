"""Whether the other end of a request's connection is still there.

Imported by the server, which runs without Vigil: nothing but the standard library here.
"""

import select
import socket


def is_connected(connection: socket.socket) -> bool:
    """Whether the client has not closed it: one that asks another question instead does. Takes no byte from it."""
    try:
        readable, _, _ = select.select([connection], [], [], 0)
        return not readable or bool(connection.recv(1, socket.MSG_PEEK))
    except (OSError, ValueError):
        return False
