"""What the gateway is asked for and what it answers, as frozen values. JSON stops here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from vigil_client.errors import BadMessage

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NewWatch:
    """A standing instruction that raises alerts. Times are in seconds of capture time.

    An empty name leaves it to the gateway to make one of the words of `text`.
    """

    name: str
    text: str
    severity: str = "warning"
    hold_s: float = 5.0
    cooldown_s: float = 30.0
    confirm_s: float = 0.0

    def body(self) -> dict[str, Any]:
        """As the gateway takes it."""
        name = {"name": self.name} if self.name else {}
        return name | {
            "text": self.text,
            "severity": self.severity,
            "hold_s": self.hold_s,
            "cooldown_s": self.cooldown_s,
            "confirm_s": self.confirm_s,
        }


@dataclass(frozen=True, slots=True)
class NewSession:
    """A source to watch. What is None is left to the gateway's defaults."""

    url: str
    watches: tuple[NewWatch, ...] = ()
    instructions: tuple[str, ...] = ()
    source_id: str | None = None
    source_name: str = ""
    loop: bool = False
    profile: str | None = None
    model: str | None = None
    interval_ms: int | None = None
    frames_per_turn: int = 1
    response_mode: str | None = None
    text_temperature: float | None = None
    infer_when_idle: bool | None = None

    def body(self) -> dict[str, Any]:
        """As the gateway takes it."""
        source = {"url": self.url, "id": self.source_id, "name": self.source_name, "loop": self.loop}
        optional = {
            "profile": self.profile,
            "model": self.model,
            "response_mode": self.response_mode,
            "text_temperature": self.text_temperature,
            "infer_when_idle": self.infer_when_idle,
        }
        body: dict[str, Any] = {
            "source": {name: value for name, value in source.items() if value is not None},
            "watches": [watch.body() for watch in self.watches],
            "instructions": list(self.instructions),
        }
        body |= {name: value for name, value in optional.items() if value is not None}
        if self.interval_ms is not None:
            body["cadence"] = {"interval_ms": self.interval_ms, "frames_per_turn": self.frames_per_turn}
        return body


def source_url(source: str) -> str:
    """A source as the gateway takes it: an address stays as it is, a path becomes an absolute `file://` address."""
    if len(urlsplit(source).scheme) > 1:
        return source
    return Path(source).expanduser().resolve().as_uri()


@dataclass(frozen=True, slots=True)
class Session:
    """A session as the gateway describes it. `raw` is its whole answer."""

    id: str
    state: str
    source_id: str
    source_name: str
    source_url: str
    profile: str
    model: str
    created_at: str
    turns: int | None = None
    status: Json = field(default_factory=dict)
    raw: Json = field(default_factory=dict, repr=False)


def session(answer: Json) -> Session:
    """Read a session. Raises `BadMessage`."""
    try:
        source = answer["source"]
        return Session(
            id=answer["id"],
            state=answer["state"],
            source_id=source["id"],
            source_name=source["name"] or source["id"],
            source_url=source["url"],
            profile=answer["profile"],
            model=answer["model"],
            created_at=answer["created_at"],
            turns=answer.get("progress", {}).get("turns"),
            status=answer.get("status", {}),
            raw=answer,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise BadMessage(f"the gateway's answer is not a session ({error!r})") from None


@dataclass(frozen=True, slots=True)
class Instruction:
    """A standing instruction; `watch` is its name when it raises alerts. Pending until a turn has shown it."""

    id: str
    text: str
    pending: bool
    watch: str = ""


def instruction(answer: Json) -> Instruction:
    """Read an instruction or a watch. Raises `BadMessage`."""
    try:
        return Instruction(answer["id"], answer["text"], bool(answer["pending"]), answer.get("name", ""))
    except (KeyError, TypeError) as error:
        raise BadMessage(f"the gateway's answer is not an instruction ({error!r})") from None


@dataclass(frozen=True, slots=True)
class Turn:
    """One committed turn of the history."""

    sequence: int
    time_s: float
    action: str
    text: str
    queries: tuple[str, ...] = ()


def turn(answer: Json) -> Turn:
    """Read a turn. Raises `BadMessage`."""
    try:
        return Turn(
            int(answer["sequence"]),
            float(answer["time_s"]),
            answer["action"],
            answer["text"],
            tuple(answer.get("queries", ())),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadMessage(f"the gateway's answer is not a turn ({error!r})") from None


def moment(text: str) -> datetime:
    """An RFC 3339 time. Raises `BadMessage`."""
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise BadMessage(f"{text!r} is not a time (RFC 3339)") from None
