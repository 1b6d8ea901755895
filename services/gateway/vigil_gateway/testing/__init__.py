"""For tests of the gateway. Nothing here runs in production."""
