"""What is answered to a connection before there is a request, or before its body was read."""

from vigil_gateway.api.problems import Row

HEAD_LATE = Row("head_late", 408, "The request took too long", "Send the whole request at once.")
TOO_MANY_CONNECTIONS = Row(
    "too_many_connections",
    429,
    "Too many connections of this address",
    "Close connections or use each for several requests; the operator sets VIGIL_CONNECTIONS_PER_CLIENT.",
)
