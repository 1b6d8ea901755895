"""The STUN and TURN servers for WHIP clients, as `Link` headers (RFC 9725 §4.6). Pure."""

from collections.abc import Iterable

from vigil.runtime.process.ice_servers import IceServer


def ice_links(servers: Iterable[IceServer]) -> tuple[str, ...]:
    """The value of one `Link` header for each address."""
    return tuple(_link(server, url) for server in servers for url in server.urls)


def _link(server: IceServer, url: str) -> str:
    link = f'<{url}>; rel="ice-server"'
    if not url.startswith("turn"):
        return link
    user, password = _quoted(server.username), _quoted(server.credential)
    return f'{link}; username={user}; credential={password}; credential-type="password"'


def _quoted(text: str) -> str:
    """As a quoted-string of HTTP."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
