"""The system prompts of the brains, a file each."""
