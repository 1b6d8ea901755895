"""Vigil as an agent: an A2A server and an MCP server, for other agents, with the keys and roles of REST."""
