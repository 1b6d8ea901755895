"""What a player said against what was due, as figures. Pure."""
