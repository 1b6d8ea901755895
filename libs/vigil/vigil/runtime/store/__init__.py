"""The store: what a session is, kept in Redis and changed by Lua scripts that check the fence."""
