"""The commands of `vigil`, one module each."""
