"""Test support: processes that are really killed, a scripted gateway, a NATS server as `vigil up` runs it."""
