"""The smooth picture of a session, for as long as somebody looks."""
