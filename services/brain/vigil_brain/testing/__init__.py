"""What tests of brains share."""
