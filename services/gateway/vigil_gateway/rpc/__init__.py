"""The public gRPC service: the same sessions, limits and errors as over HTTP."""
