"""The STUN and TURN servers of WebRTC, as a setting: a JSON list like `iceServers` of a browser's RTCConfiguration."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, SecretStr
from pydantic_core import PydanticCustomError

MAX_SERVERS = 16

_URL = re.compile(r"(stuns?|turns?):[^\s<>\"\\]{1,255}")
_KEYS = frozenset({"urls", "username", "credential"})


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server by its addresses (`stun:host:port`, `turn:host:port?transport=udp`), with the user and the
    password that a TURN server asks for."""

    urls: tuple[str, ...]
    username: str = ""
    credential: str = ""


def ice_servers(text: str) -> tuple[IceServer, ...]:
    """The servers of a setting; an empty text has none. Raises `ValueError` that says what is wrong with it, and
    never quotes a credential."""
    if not text.strip():
        return ()
    try:
        found = json.loads(text)
    except ValueError:
        raise ValueError(f"it is not JSON: {_EXAMPLE}") from None
    if not isinstance(found, list) or len(found) > MAX_SERVERS:
        raise ValueError(f"it is not a list of at most {MAX_SERVERS} servers: {_EXAMPLE}")
    return tuple(_server(entry) for entry in found)


_EXAMPLE = 'write it like [{"urls": "turn:turn.example:3478", "username": "vigil", "credential": "…"}]'


def _server(entry: Any) -> IceServer:
    if not isinstance(entry, Mapping) or not entry.keys() <= _KEYS:
        raise ValueError(f"each server has `urls` and, where it asks for them, `username` and `credential`: {_EXAMPLE}")
    given = entry.get("urls")
    urls = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, list) else ()
    if not urls or not all(isinstance(url, str) and _URL.fullmatch(url) for url in urls):
        raise ValueError("`urls` is an address, or a list of addresses, that begin with stun:, stuns:, turn: or turns:")
    username, credential = entry.get("username", ""), entry.get("credential", "")
    if not all(isinstance(value, str) and value.isascii() and value.isprintable() for value in (username, credential)):
        raise ValueError("`username` and `credential` are ASCII texts without control characters")
    if any(url.startswith("turn") for url in urls) and not (username and credential):
        raise ValueError("a TURN server needs `username` and `credential`")
    return IceServer(urls, username, credential)


def _checked(text: SecretStr) -> SecretStr:
    try:
        ice_servers(text.get_secret_value())
    except ValueError as error:
        raise PydanticCustomError("ice_servers", "{why}", {"why": str(error)}) from None
    return text


IceServersSetting = Annotated[SecretStr, AfterValidator(_checked)]
