"""Answers a question about the past from a session's archive: by the times that it names and by its words."""
