"""The chart, rendered by a real helm: what the tests of it share."""
