"""Stand-ins for speech engines, for tests."""
