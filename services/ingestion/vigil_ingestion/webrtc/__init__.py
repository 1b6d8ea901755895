"""WebRTC: a client sends its camera or screen to the ingestion worker that holds its session."""
