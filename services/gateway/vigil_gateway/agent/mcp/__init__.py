"""MCP: tools with which a language model reads what Vigil sees, and tells it what to watch for."""
