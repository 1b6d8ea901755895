"""Test support: programs that are really killed, and a NATS server as `vigil up` runs it."""
