"""`If-Match` of a PATCH (RFC 9725 §4.3.1): to which ICE session its candidates belong. Pure.

ICE is never restarted here, so a connection has one ICE session for as long as it lasts: it is named as the connection.
"""

from vigil_gateway.api.whip_errors import IceRestartUnsupported, IfMatchFailed, IfMatchMissing

_ANY = frozenset({"*", '"*"'})  # the RFC's own example puts the asterisk in quotes


def etag_of(resource: str) -> str:
    """The strong entity-tag of the connection's ICE session."""
    return f'"{resource}"'


def check_precondition(if_match: str | None, resource: str) -> None:
    """Return when the candidates belong to the connection. Raises `IfMatchMissing`, `IfMatchFailed`,
    `IceRestartUnsupported` (it asks for a new ICE session)."""
    if if_match is None or not if_match.strip():
        raise IfMatchMissing
    if if_match.strip() in _ANY:
        raise IceRestartUnsupported
    if etag_of(resource) not in [tag.strip() for tag in if_match.split(",")]:
        raise IfMatchFailed
