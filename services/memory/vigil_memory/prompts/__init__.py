"""What a summariser is told, a folder a profile. The first line of a file is its version: it goes up with changes."""
