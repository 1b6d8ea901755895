"""Fuzzing of what strangers send: `make fuzz` looks for inputs that crash a door, a test tries those that are known."""
