"""The sound of a session for its clients: microphones in, spoken words out."""
