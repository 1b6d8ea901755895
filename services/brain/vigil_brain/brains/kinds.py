"""The kinds of brains: what the brains file says of each, how mistakes in it are told, and how a brain is opened.

An entry of the file has `name`, `kind`, `timeout_s`, `concurrency`, `key_env` or `key_file`, which are the same for all
kinds, and beside them the settings of its kind, which are here.
"""

import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import msgspec

from vigil_brain.brains.a2a_agent import A2ASettings, open_a2a
from vigil_brain.brains.command import CommandSettings, open_command
from vigil_brain.brains.embedded import EmbeddedSettings, open_embedded
from vigil_brain.brains.hermes import HermesSettings, open_hermes
from vigil_brain.brains.openai_chat import OpenAISettings, open_openai
from vigil_brain.brains.openclaw import OpenClawSettings, open_openclaw
from vigil_brain.brains.port import Brain
from vigil_brain.brains.responses import ResponsesSettings, open_responses
from vigil_brain.brains.sandbox import refused_folder
from vigil_brain.brains.spec import BrainSpec


@dataclass(frozen=True, slots=True)
class Kind:
    """What the file says of a brain of this kind, and how it is opened."""

    settings: type[msgspec.Struct]
    open: Callable[[Any, BrainSpec], AbstractAsyncContextManager[Brain]]


KINDS: Mapping[str, Kind] = {
    "openai": Kind(OpenAISettings, open_openai),
    "responses": Kind(ResponsesSettings, open_responses),
    "a2a": Kind(A2ASettings, open_a2a),
    "hermes": Kind(HermesSettings, open_hermes),
    "openclaw": Kind(OpenClawSettings, open_openclaw),
    "command": Kind(CommandSettings, open_command),
    "embedded": Kind(EmbeddedSettings, open_embedded),
}


def mistakes(kind: str, settings: Mapping[str, object]) -> list[str]:
    """What is wrong with the settings of a brain of that kind, a line for each mistake; none when all is well."""
    if kind not in KINDS:
        return [f"there is no kind {kind!r}: the kinds are {', '.join(KINDS)}"]
    fields = {known.name: known for known in msgspec.structs.fields(KINDS[kind].settings)}
    found = [
        f"a brain of the kind {kind} has no {name!r}: it has {', '.join(fields)}"
        for name in settings
        if name not in fields
    ]
    found += [f"{name!r} is missing" for name, known in fields.items() if known.required and name not in settings]
    for name, value in settings.items():
        if name in fields:
            found += _value_mistakes(name, value, fields[name].type)
    return found


@asynccontextmanager
async def open_brain(spec: BrainSpec, trusted: ssl.SSLContext | None = None) -> AsyncIterator[Brain]:
    """The brain, until the block ends. Its settings have no `mistakes`; `trusted`: see `BrainSpec`.

    Raises `BrainError` when this machine lacks what the kind needs. Whether an API or agent can be reached shows with
    the first task.
    """
    kind = KINDS[spec.kind]
    async with kind.open(msgspec.convert(spec.settings, kind.settings), replace(spec, trusted=trusted)) as brain:
        yield brain


def _value_mistakes(name: str, value: object, expected: Any) -> list[str]:
    try:
        msgspec.convert(value, expected)
    except msgspec.ValidationError as error:
        return [f"{name!r}: {str(error).replace(' - at `$', ', at `')}"]
    if name == "url":
        return _url_mistakes(name, str(value))
    if name == "tools" and isinstance(value, list):
        return [mistake for tool in value for mistake in _url_mistakes("tools", str(tool.get("url", "")))]
    if name == "folders" and isinstance(value, list):
        return [f"'folders': {why}" for folder in value if (why := refused_folder(str(folder)))]
    return []


def _url_mistakes(name: str, url: str) -> list[str]:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return [f"{name!r}: the url cannot be read"]
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return [f"{name!r}: the url is neither http:// nor https:// and a host"]
    if parts.username or parts.password:
        return [f"{name!r}: the url holds a password: use key_env or key_file"]
    return []
