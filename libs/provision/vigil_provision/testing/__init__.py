"""Test support: NATS and Redis servers with the configuration of a deployment."""
