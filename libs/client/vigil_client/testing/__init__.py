"""Test support: the `vigil` command as a process, and a scripted gateway."""
