"""For tests of what receives WebRTC. Nothing here runs in production."""
