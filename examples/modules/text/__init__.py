"""A module for Vigil: reads what is written in the picture, and tells when a text appears and when it is gone."""
