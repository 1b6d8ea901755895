"""Speech engines: one module for each way in which they are asked."""
