"""The dashboards that the operator names for the console's system page."""

import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic_core import PydanticCustomError

MAX_LINKS = 20
_RULE = 'give JSON of names and http(s) addresses, such as {"Fleet": "https://grafana.example/d/vigil-fleet"}'


@dataclass(frozen=True, slots=True)
class Link:
    """A dashboard: what it is called, and where it is."""

    name: str
    url: str


def links_of(text: str) -> tuple[Link, ...]:
    """The links of VIGIL_CONSOLE_LINKS, in their order; none for an empty text. Raises `PydanticCustomError`."""
    if not text:
        return ()
    try:
        named = json.loads(text)
    except ValueError:
        raise PydanticCustomError("links", _RULE) from None
    if not isinstance(named, dict) or len(named) > MAX_LINKS:
        raise PydanticCustomError("links", f"{_RULE}, at most {MAX_LINKS}")
    return tuple(Link(name, _address(url)) for name, url in named.items())


def readable(text: str) -> str:
    """`text` when `links_of` can read it. Raises `PydanticCustomError`."""
    links_of(text)
    return text


def _address(url: object) -> str:
    """Only what a browser opens as a page: the address `javascript:…` would run in the console."""
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise PydanticCustomError("links", _RULE)
    return parts.geturl()
