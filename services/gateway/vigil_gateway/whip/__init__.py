"""WHIP (RFC 9725): a client publishes its camera or screen into a session by WebRTC."""
