"""A tenant's wall: all of its open sessions at a glance, live, in one stream."""
