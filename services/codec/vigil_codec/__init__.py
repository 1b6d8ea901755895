"""The video tokenizer: raw frames in, coded frames out (design §6)."""
