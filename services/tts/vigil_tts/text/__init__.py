"""Text as it is to be spoken: cut into sentences, and written out as a voice reads it."""
