"""A2A 1.0: other agents ask Vigil to watch a camera, and follow what it sees as a task."""
