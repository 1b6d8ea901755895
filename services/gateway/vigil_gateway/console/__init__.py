"""The web console: its built files, served as they are, and what it asks for that no other client needs."""
