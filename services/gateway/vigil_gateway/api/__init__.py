"""What every door of the gateway shares: who asks, what is refused and how that is said, and the bodies."""
