"""REST, live events and API keys in front of Vigil."""
