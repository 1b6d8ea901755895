"""The bus: live subjects on NATS, stored messages in JetStream."""
