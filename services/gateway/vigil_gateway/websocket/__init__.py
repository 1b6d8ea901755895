"""Sessions over a WebSocket: pushed pictures and questions in, answers and live events out."""
