"""What is said to the model and how it is written: dialogue, prompt bytes, token sequences, the tokenizer."""
