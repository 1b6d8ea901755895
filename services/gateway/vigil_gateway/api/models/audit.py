"""What the audit shows."""

from datetime import datetime

from pydantic import Field

from vigil_gateway.api.models.base import Out


class AuditEntry(Out):
    """A request that changed something, or would have."""

    time: datetime
    actor: str = Field(description="The name of the key or of the person; without a name the key's id")
    role: str
    method: str = Field(description="The method of HTTP, or `grpc` or `websocket`")
    route: str = Field(description="The path with its placeholders, the method of gRPC, the type of the message")
    session: str = Field(description="The session that it was about; empty for none")
    status: int = Field(description="The HTTP status of the answer, also of what came otherwise")
    address: str = Field(description="The client's address; behind a proxy that of the proxy")


class AuditList(Out):
    """Records, the oldest first."""

    entries: list[AuditEntry]
    next: str | None = Field(description="`after` of the next page; null: these are all")
