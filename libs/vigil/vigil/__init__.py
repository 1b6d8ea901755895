"""Vigil watches live video and acts at the right moment."""
