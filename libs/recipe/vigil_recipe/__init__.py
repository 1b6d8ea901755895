"""The recipe of Vigil's small interaction model: a procedural world, its data, training and export."""
