"""Starts and supervises Vigil's processes on this machine."""
