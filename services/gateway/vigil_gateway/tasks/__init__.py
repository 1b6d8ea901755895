"""Delegated questions of a session: listed, shown, cancelled, and the files that brains made of them."""
