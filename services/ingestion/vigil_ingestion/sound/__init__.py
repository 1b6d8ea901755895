"""The sound of sources, for sessions that hear it: decoded beside the pictures, cut into chunks, published."""
