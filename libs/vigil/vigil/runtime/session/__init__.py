"""A session inside a process: commands to it, the events of its life, what its client changes, and its end."""
