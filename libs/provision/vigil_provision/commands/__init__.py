"""The commands of this package: `vigil keys`, and those of `vigil-provision`."""
