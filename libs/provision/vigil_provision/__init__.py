"""What a deployment of Vigil is configured with: NATS, Redis, credentials and API keys, rendered from the rows."""
