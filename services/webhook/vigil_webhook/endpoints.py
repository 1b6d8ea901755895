"""The file that names the endpoints: who gets which alerts, where, and signed with what.

    {"endpoints": [{"name": "pager", "tenant": "demo", "url": "https://pager.example/hooks/vigil",
                    "secret": "whsec_…", "severities": ["critical"], "states": ["opened", "closed"],
                    "sessions": ["stalled", "recovered", "source_lost", "source_back"]}]}

`sessions` names the session events that the endpoint gets beside alerts; without it, it gets none.
`sources`, `severities` and `states` are filters; a filter that is left out lets everything through, but what people did
about an alert (`acknowledged`, `muted`) comes only to an endpoint whose `states` name it. An endpoint that gets
openings also gets updates that are news (the alert goes on after it had closed, or became more severe). An alert that
once had one of the severities passes until it ends, whatever its severity is now: whoever heard of an alert also hears
of its end.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from vigil.contract.events.envelope import CloudEvent
from vigil.contract.subject_tokens import Lifecycle
from vigil.contract.unreadable import UNREADABLE
from vigil.core.address_policy import is_address, why_refused
from vigil.core.alert import AlertState
from vigil.core.errors import InvalidToken
from vigil.core.ids import token
from vigil.core.instruction import Severity
from vigil_webhook.signature import signing_key

MAX_ENDPOINTS = 64
# The values of `AlertState` and `AlertAction`.
State = Literal["opened", "updated", "closed", "acknowledged", "muted"]
_OF_ITSELF = frozenset(AlertState)
_HOW = 'write {"endpoints": [{"name": "pager", "tenant": "demo", "url": "https://…", "secret": "whsec_…"}]}'
_LET_READ = (
    "let this process's user read it and its folder (in containers that is user 10001: `chown 10001` it and "
    "`chmod 400` it; it holds secrets)"
)


class EndpointsInvalid(ValueError):
    """The file cannot be used; the message says where and how to mend it, and holds no secret."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where alerts of one tenant are sent. The bridge remembers by its name what was delivered.

    The URL is kept out of logs, because many receivers put a credential into its path; `host` may be shown.
    """

    name: str
    tenant: str
    url: str = field(repr=False)
    key: bytes = field(repr=False)
    sources: frozenset[str] = frozenset()
    severities: frozenset[Severity] = frozenset()
    states: frozenset[str] = frozenset()
    sessions: frozenset[Lifecycle] = frozenset()

    @property
    def host(self) -> str:
        """The part of its URL that may be shown."""
        return urlsplit(self.url).hostname or ""

    def wants(self, event: CloudEvent) -> bool:
        """Whether the filters let an alert event through."""
        data: dict[str, Any] = event.data if isinstance(event.data, dict) else {}
        had = data.get("severities")
        states = [data.get("state"), AlertState.OPENED if data.get("news") else ""]
        severities = [data.get("severity"), *(had if isinstance(had, list) else ())]
        allowed_states = self.states or _OF_ITSELF
        has = ((self.sources, [data.get("source_id")]), (self.severities, severities), (allowed_states, states))
        return data.get("tenant") == self.tenant and all(
            not allowed or any(isinstance(value, str) and value in allowed for value in found) for allowed, found in has
        )

    def wants_session(self, event: CloudEvent) -> bool:
        """Whether an event of a session's life is one of those asked for, of one of its sources."""
        data: dict[str, Any] = event.data if isinstance(event.data, dict) else {}
        is_of_source = not self.sources or data.get("source_id") in self.sources
        return data.get("tenant") == self.tenant and is_of_source and event.type.rpartition(".")[2] in self.sessions


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    tenant: str
    url: str
    secret: str
    sources: frozenset[str] = frozenset()
    severities: frozenset[Severity] = frozenset()
    states: frozenset[State] = frozenset()
    sessions: frozenset[Lifecycle] = frozenset()


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    endpoints: list[_Entry]


def unread(path: Path, error: OSError) -> str:
    """Why the file could not be read, and what to do: a file that is there wants other rights, not other content."""
    how = _LET_READ if isinstance(error, PermissionError) else _HOW
    return f"the file {path} cannot be read ({error.strerror}): {how}"


def load(path: Path, *, allow_local: bool) -> tuple[Endpoint, ...]:
    """Read the file, or raise `EndpointsInvalid`. `allow_local` lets endpoints be on this host."""
    try:
        entries = msgspec.json.decode(path.read_bytes(), type=_File).endpoints
    except OSError as error:
        raise EndpointsInvalid(unread(path, error)) from None
    except UNREADABLE as error:
        raise EndpointsInvalid(f"the file {path} is not valid ({error}): {_HOW}") from None
    if not 1 <= len(entries) <= MAX_ENDPOINTS:
        raise EndpointsInvalid(f"the file {path} has {len(entries)} endpoints: give 1 to {MAX_ENDPOINTS}")
    names = [entry.name for entry in entries]
    if twice := {name for name in names if names.count(name) > 1}:
        raise EndpointsInvalid(f"the file {path} has several endpoints named {', '.join(sorted(twice))}")
    return tuple(_endpoint(path, entry, allow_local) for entry in entries)


def _endpoint(path: Path, entry: _Entry, allow_local: bool) -> Endpoint:
    try:
        token(entry.name, "endpoint name")
        token(entry.tenant, "tenant")
        for source in entry.sources:
            token(source, "source id")
        _check_url(entry.url, allow_local)
        key = signing_key(entry.secret)
    except (InvalidToken, ValueError) as error:
        raise EndpointsInvalid(f"the file {path}, endpoint {entry.name[:80]!r}: {error}") from None
    return Endpoint(
        entry.name, entry.tenant, entry.url, key, entry.sources, entry.severities, entry.states, entry.sessions
    )


def _check_url(url: str, allow_local: bool) -> None:
    """Raise `ValueError` for a URL that can never be used. A host name is looked up and checked at each connection."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("the url cannot be read") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("the url is neither http:// nor https:// and a host")
    host = parts.hostname
    if not is_address(host) or not (refused := why_refused(host, allow_local=allow_local)):
        return
    hint = "" if why_refused(host, allow_local=True) else ": VIGIL_WEBHOOK_ALLOW_LOCAL=true allows it"
    raise ValueError(f"{host} is not allowed, {refused}{hint}")
