"""The memory service: see `vigil_memory.main`."""
