"""The engine: OpenAI-compatible servers that run the model, each session at one of them."""
