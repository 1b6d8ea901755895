"""What can be asked of the gateway, as frozen values with its names, groups and defaults. JSON stops here.

A test compares them with the gateway's `openapi.json`.
"""

import re
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SEVERITIES = ("info", "warning", "critical")
RESPONSE_MODES = ("reserved", "balanced", "talkative")
DUPLICATE_GUARDS = ("off", "exact", "near")
TURN_TAKINGS = ("open", "wake", "push")
# `host:port`, or an IPv4 address: what somebody types who leaves out the scheme of a camera's address.
_BARE_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*):\d{1,5}(/|$)|\d{1,3}(\.\d{1,3}){3}(/|$)")


@dataclass(frozen=True, slots=True)
class NewSource:
    """What to watch: the address of a camera or a file (see `source_url`), or no address and `kind` "pushed" for
    pictures that a client pushes, "webrtc" for a camera or a screen that a client publishes at `Client.whip_url`.

    `id` names the source in alert subjects. When it is None it is made from the address, or is the session's id where
    there is no address. `name` is for people.
    `loop` starts a file again when it ends.
    """

    url: str = ""
    id: str | None = None
    name: str = ""
    loop: bool = False
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often the model looks: milliseconds of capture time between turns, and frames within one turn."""

    interval_ms: int = 1_000
    frames_per_turn: int = 1


@dataclass(frozen=True, slots=True)
class Window:
    """How much of the past a prompt holds: `chunk_turns` turns; the next chunk begins with the last `tail_turns`.

    With `chunk_turns` below 10, a `tail_turns` of 9 (the default) becomes `chunk_turns` - 1.
    """

    chunk_turns: int = 100
    tail_turns: int = 9


@dataclass(frozen=True, slots=True)
class Speech:
    """How the model speaks: how readily, which repeats are not uttered, and how much its words vary (0 to 2)."""

    response_mode: str = "balanced"
    duplicate_guard: str = "exact"
    text_temperature: float = 0.0


@dataclass(frozen=True, slots=True)
class Memory:
    """What is kept of the time before the prompt's turns: `mid_blocks` summaries, then `long_blocks` merged blocks of
    at most `long_tokens` tokens together, each of at most `block_tokens`. A span whose summary is late is kept by
    `key_frames` pictures. Questions about the past name times of day in `time_zone`, a name of the IANA; empty: as the
    operator says."""

    is_on: bool = False
    mid_blocks: int = 5
    long_blocks: int = 15
    block_tokens: int = 256
    long_tokens: int = 3_000
    key_frames: int = 4
    time_zone: str = ""


@dataclass(frozen=True, slots=True)
class Hearing:
    """Whether and how the session is spoken to. With `from_source` it hears its source beside microphones. Of what was
    said all becomes a question ("open"), what begins with `wake_phrase` ("wake"), or what was said while the button was
    held ("push"). `language` is as BCP 47 writes it; empty: any."""

    is_on: bool = False
    from_source: bool = False
    turn_taking: str = "open"
    wake_phrase: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Voice:
    """Whether and how the session speaks aloud: in which voice (empty: the usual one), how fast (0.5 to 2), and in
    which language (empty: the voice's)."""

    is_on: bool = False
    name: str = ""
    speed: float = 1.0
    language: str = ""


@dataclass(frozen=True, slots=True)
class Modules:
    """Whether the model is told what modules noticed, and of which: those of `names`, or all of the tenant where none
    is named."""

    is_on: bool = True
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NewWatch:
    """A standing instruction that raises alerts. Times are in seconds of capture time.

    An alert opens once the model has gone on speaking for `confirm_s`, is updated with unchanged words at most every
    `update_interval_s`, and closes after `hold_s` of quiet; words within `cooldown_s` of that continue it. Without a
    name the gateway makes one of the words of `text`. `brain` answers what is delegated under it; empty: the session's.
    """

    text: str
    name: str | None = None
    severity: str = "warning"
    hold_s: float = 5.0
    cooldown_s: float = 30.0
    update_interval_s: float = 10.0
    confirm_s: float = 0.0
    brain: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a picture, in pixels of the frame."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class NewObservation:
    """What a module noticed, for those that have no NATS. `capture_time` is RFC 3339, None: now. No turn that begins
    more than `ttl_ms` after it is shown the text. `confidence` is from 0 to 1."""

    module: str
    kind: str
    text: str
    capture_time: str | None = None
    confidence: float | None = None
    ttl_ms: int = 10_000
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class NewSession:
    """A source to watch, and how. A model or a profile that is None is the gateway's usual one.

    With `infer_when_idle` False the model is asked only while something stands or was asked. `brain` answers delegated
    questions; empty: the tenant's default.
    """

    source: NewSource
    watches: tuple[NewWatch, ...] = ()
    instructions: tuple[str, ...] = ()
    profile: str | None = None
    model: str | None = None
    cadence: Cadence = field(default_factory=Cadence)
    window: Window = field(default_factory=Window)
    speech: Speech = field(default_factory=Speech)
    memory: Memory = field(default_factory=Memory)
    hearing: Hearing = field(default_factory=Hearing)
    voice: Voice = field(default_factory=Voice)
    modules: Modules = field(default_factory=Modules)
    infer_when_idle: bool = True
    brain: str = ""


def as_body(options: Any) -> dict[str, Any]:
    """One of the values above as the gateway takes it. What equals its default is left out: it is the gateway's."""
    given = ((option, getattr(options, option.name)) for option in fields(options))
    return {option.name: _json(value) for option, value in given if value != _default(option)}


def source_url(source: str) -> str:
    """A source as the gateway takes it: an address stays as it is, a path becomes an absolute `file://` address."""
    if len(urlsplit(source).scheme) > 1:
        return source
    return Path(source).expanduser().resolve().as_uri()


def camera_meant(source: str) -> str:
    """The address that a source without a scheme probably means: `host:port`, or an IPv4 address, that is no file's
    name. Empty for anything else."""
    if _BARE_HOST.match(source) is None or Path(source).exists():
        return ""
    return f"rtsp://{source}"


def _json(value: Any) -> Any:
    if is_dataclass(value):
        return as_body(value)
    return [_json(item) for item in value] if isinstance(value, tuple) else value


def _default(option: "Field[Any]") -> object:
    return option.default if option.default_factory is MISSING else option.default_factory()
