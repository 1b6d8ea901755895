"""How the gateway and the workers behind it are."""

from pydantic import Field

from vigil_gateway.api.models.base import Out


class RoleOut(Out):
    """Capacity of one role over its live workers."""

    workers: int
    capacity: int = Field(description="Sessions that its workers can hold")
    open_sessions: int = Field(description="Sessions held, or waiting for a worker")


class HealthOut(Out):
    """How the gateway and the workers behind it are."""

    ready: bool = Field(description="The gateway serves, and its ports answer")
    takes_sessions: bool = Field(description="A session on every kind of source could be created now")
    sources: dict[str, bool] = Field(
        description="The kinds of source, and whether a session on one could be created now: the gateway is ready, "
        "every role that it needs has a live worker with room, and a source that Vigil pulls can be checked.",
        examples=[{"file": True, "rtsp": True, "http": True, "pushed": True, "webrtc": True}],
    )
    checks: dict[str, str] = Field(
        description="`ok`, or what is wrong, of everything behind the gateway. Without `ingestion` no session on "
        "a camera or a file can be created, and those that run go on: it is no part of `ready`.",
        examples=[{"nats": "ok", "redis": "ok", "ingestion": "ok"}],
    )
    capacity: dict[str, RoleOut]
