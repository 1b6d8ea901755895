"""Text that is read from a camera, written by a brain or kept in memory attacks a session: what refuses is Vigil."""
