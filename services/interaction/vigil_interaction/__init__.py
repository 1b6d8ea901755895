"""The interaction service: owns sessions and runs their one-second tick."""
