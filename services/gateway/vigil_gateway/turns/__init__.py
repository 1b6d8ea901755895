"""Turns of a session, to look at: what was decided, what the model saw, what the engine was asked."""
