"""What brains ask to be allowed: listed, granted, refused, once or for a pattern."""
