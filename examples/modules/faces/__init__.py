"""A module for Vigil: tells which of the people who agreed to it is in the picture. It is off by default."""
