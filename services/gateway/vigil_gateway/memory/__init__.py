"""What a session remembers: its tiers, its archive, the pictures of both, and what a question recalls of them."""
