"""What is live: events that go out, pictures that come in."""
