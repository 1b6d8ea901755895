"""Speaks aloud what sessions say, one voice for each, by any speech engine."""
