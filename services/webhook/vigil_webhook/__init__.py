"""The webhook bridge: alerts from JetStream to HTTP endpoints, signed, in order, at least once."""
