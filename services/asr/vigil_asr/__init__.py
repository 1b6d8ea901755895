"""Hears sessions: voice activity, transcripts while people speak, and questions of what they said (design §9)."""
