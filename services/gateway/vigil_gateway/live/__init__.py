"""Live events: heard once from the bus, numbered, and sent to whoever listens, through every door."""
