"""Turns on pictures that clients push: read, fitted, shown to the model, and answered with their decision."""
