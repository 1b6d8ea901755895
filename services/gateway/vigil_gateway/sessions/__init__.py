"""Sessions: opened, changed, asked, read and ended; the REST routes, and the functions that every door uses."""
