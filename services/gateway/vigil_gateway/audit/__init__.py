"""The audit: what every door records of requests that change something, how it gets to its stream, who may read it."""
