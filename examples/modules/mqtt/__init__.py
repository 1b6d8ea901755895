"""A module for Vigil without pictures: what sensors say over MQTT is told to the sessions that watch the same place."""
