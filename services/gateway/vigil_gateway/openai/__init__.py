"""The OpenAI-compatible door: one call is one turn."""
