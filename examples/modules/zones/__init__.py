"""A module for Vigil: tells when something begins to move in a part of the picture, and when it no longer does."""
