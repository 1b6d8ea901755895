"""Judges that nobody here wrote, over the published documents and a running gateway: `make judge`."""
