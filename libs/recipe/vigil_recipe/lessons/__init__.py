"""Training samples: lessons in words and in pictures, interactions with their history, labels of single frames."""
