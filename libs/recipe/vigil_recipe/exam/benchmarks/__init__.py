"""Public benchmarks of streaming video, played on the running system and scored."""
