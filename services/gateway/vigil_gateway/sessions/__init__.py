"""Sessions over REST: begun, changed, told, read, ended."""
